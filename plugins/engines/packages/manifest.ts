import { readFile, stat } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import * as z from 'zod'
import { messageOf, PeerError } from '../../../kernel/index.js'

const MAX_MANIFEST_BYTES = 256 * 1024

const manifestSchema = z.looseObject({
  name: z.string().max(214),
  version: z.string().max(64),
  files: z.array(z.string()).optional(),
  exports: z.unknown().optional(),
  module: z.string().optional(),
  main: z.string().optional(),
})

/** What counts of a package.json. */
export type PackageManifest = z.infer<typeof manifestSchema>

/** Reads the package.json of a folder. `shown`: what errors call it. Throws ERR_ENGINE_PACKAGE. */
export async function readManifest(folder: string, shown = folder): Promise<PackageManifest> {
  const file = join(folder, 'package.json')
  try {
    const { size } = await stat(file)
    if (size > MAX_MANIFEST_BYTES) throw new RangeError(`it has ${size} bytes, more than ${MAX_MANIFEST_BYTES}`)
    return parseManifest(await readFile(file, 'utf8'))
  } catch (cause) {
    throw new PeerError(
      'ERR_ENGINE_PACKAGE',
      `${shown} is no engine's package: ${isMissing(cause) ? 'it has no package.json' : `package.json: ${messageOf(cause)}`}`,
      {
        cause,
        hint: 'give the folder of a package, with its package.json, or an archive made by npm pack',
      },
    )
  }
}

function parseManifest(text: string): PackageManifest {
  const read = manifestSchema.safeParse(JSON.parse(text))
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw new TypeError(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not as expected'}`)
}

/** Whether `files` of a package.json lists a path, itself or by one of its folders; true without such a list. Of patterns there are `*` and `**`. */
export function isListed({ files }: PackageManifest, path: string): boolean {
  if (files === undefined) return true
  const folders = path.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'))
  return files.some((entry) => {
    const pattern = patternOf(entry.replace(/^\.?\//, '').replace(/\/+$/, ''))
    return folders.some((folder) => pattern.test(folder))
  })
}

function patternOf(entry: string): RegExp {
  const source = entry
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+\/?/g, (stars) => (stars.startsWith('**') ? '.*' : `[^/]*${stars.endsWith('/') ? '/' : ''}`))
  return new RegExp(`^${source === '' ? '.*' : source}$`)
}

/**
 * File of the module that the package's name means: `exports` (conditions import, node, default), `module`, `main`, else index.js.
 * `shown`: what errors call the folder.
 *
 * @throws PeerError ERR_ENGINE_PACKAGE if it lies outside of the folder or is missing
 */
export async function entryOf(folder: string, manifest: PackageManifest, shown = folder): Promise<string> {
  const target = mainExport(manifest.exports) ?? manifest.module ?? manifest.main ?? 'index.js'
  const file = resolve(folder, target)
  const inside = relative(folder, file)
  if (inside.startsWith('..') || inside.startsWith(sep)) throw new PeerError('ERR_ENGINE_PACKAGE', `the entry ${target} of ${shown} lies outside of it`)
  const found = await stat(file).catch(() => undefined)
  if (found?.isFile() === true) return file
  throw new PeerError('ERR_ENGINE_PACKAGE', `the entry ${target} of ${shown} is missing`, {
    hint: 'build the package first, or correct exports and files in its package.json',
  })
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function mainExport(exported: unknown): string | undefined {
  if (typeof exported === 'string') return exported
  if (typeof exported !== 'object' || exported === null) return undefined
  const target: unknown = '.' in exported ? exported['.'] : exported
  if (typeof target === 'string') return target
  if (typeof target !== 'object' || target === null) return undefined
  for (const condition of ['import', 'node', 'default']) {
    const found = mainExport(Reflect.get(target, condition))
    if (found !== undefined) return found
  }
  return undefined
}
