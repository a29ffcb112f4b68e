import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

/** The TypeScript files of a folder and below, with their lines; generated code is nobody's to read. */
function sources(folder: string): { readonly file: string; readonly text: string; readonly lines: number }[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !/[\\/](gen|node_modules)([\\/]|$)/.test(entry.parentPath))
    .map((entry) => {
      const file = join(entry.parentPath, entry.name)
      const text = readFileSync(file, 'utf8')
      return { file: relative(root, file), text, lines: text.split('\n').length - 1 }
    })
}

describe('the house', () => {
  test('has a kernel of less than 2,000 lines', () => {
    expect(sources('kernel').reduce((sum, { lines }) => sum + lines, 0)).toBeLessThan(2000)
  })

  test('has no file of more than 500 lines', () => {
    const all = ['kernel', 'plugins', 'proto', 'test', 'bench', 'examples'].flatMap(sources)
    expect(all.filter(({ lines }) => lines > 500).map(({ file, lines }) => `${file}: ${lines}`)).toEqual([])
  })

  test('has a kernel that knows neither a ledger nor a plugin', () => {
    // The one plugin it names is the one to add where a plugin asks for a listener and there is none.
    const hint = 'add weft/plugins/grpc to plugins'
    const known = /\b(blocks?|transactions?|chaincodes?|consensus|validators?|ledgers?)\b|\b(plugins|proto)\/(?!loom)\w+/i
    const told = sources('kernel').flatMap(({ file, text }) =>
      text.split('\n').flatMap((line, index) => (known.test(line.replace(hint, '')) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
    )
    expect(told).toEqual([])
  })
})
