import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { ownPackage } from '../../plugins/loader/own-package.js'

const roots: string[] = []

afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true })
})

/** A package of Weft as it is built, with this source of its packaged site. */
function built(source: string, { editedSince = false } = {}) {
  const root = mkdtempSync(join(tmpdir(), 'weft-built-site-'))
  roots.push(root)
  const write = (path: string, text: string, second: number): string => {
    const file = join(root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    utimesSync(file, second, second)
    return file
  }
  write('package.json', '{ "name": "weft", "version": "1.2.3" }', 0)
  const module = write('dist/peer.config.js', '', 1000)
  return { root, module, source: write('peer.config.ts', source, editedSince ? 1001 : 999), own: ownPackage(join(root, 'dist/chunk.js')) }
}

const PACKAGED =
  "import { defineConfig } from './kernel/index.js'\nimport noops from './plugins/noops/index.js'\nexport default defineConfig({ plugins: [noops], directory: './data' })\n"

test('the packaged site, as it was built, is read from its built module', () => {
  const { own, source, module } = built(PACKAGED)
  expect(own.builtSite(source)).toBe(module)
})

test('edited since it was built, it is read from its source', () => {
  const { own, source } = built(PACKAGED, { editedSince: true })
  expect(own.builtSite(source)).toBeUndefined()
})

test('with files of its own, which may be edited, it is read from its source', () => {
  for (const line of ["import mine from './mine.js'", 'import mine from "../mine.js"', "const mine = await import('./mine.js')"]) {
    const { own, source } = built(`${line}\n${PACKAGED}`)
    expect(own.builtSite(source), line).toBeUndefined()
  }
})

test('another site is read from its source', () => {
  const { own, root } = built(PACKAGED)
  expect(own.builtSite(join(root, 'elsewhere/peer.config.ts'))).toBeUndefined()
})

test('where the sources themselves run, nothing is built', () => {
  const { root, source } = built(PACKAGED)
  expect(ownPackage(join(root, 'plugins/loader/own-package.ts')).builtSite(source)).toBeUndefined()
})
