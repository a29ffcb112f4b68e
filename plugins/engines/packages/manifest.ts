import { lstat, readFile } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import * as z from 'zod'
import { messageOf, PeerError } from '../../../kernel/index.js'
import { exportsTarget, moduleTarget, pathsOf } from './module-target.js'

const MAX_MANIFEST_BYTES = 256 * 1024
/** npm takes it, JSON.parse does not. */
const BYTE_ORDER_MARK = /^\ufeff/

const manifestSchema = z.looseObject({
  name: z.string().max(214),
  version: z.string().max(64),
  files: z
    .array(
      z
        .string()
        .max(200)
        .refine((entry) => !/[{}[\]()\\]/.test(entry), {
          error: 'expected paths, with *, ** and ? in them, and ! before them; found braces, brackets or a backslash',
        }),
    )
    .max(1000)
    .optional(),
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
    const found = await lstat(file)
    if (!found.isFile()) throw new TypeError('it is a link or something else that is no file')
    const { size } = found
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
  const read = manifestSchema.safeParse(JSON.parse(text.replace(BYTE_ORDER_MARK, '')))
  if (read.success) return read.data
  throw new TypeError(read.error.issues.map(({ path, message }) => `${path.length === 0 ? '' : `${path.join('.')}: `}${message}`).join('; '))
}

/**
 * Whether `files` of a package.json lists a path, itself or by one of its folders; true without such a list. Of patterns there are `*`, `**` and `?`; one that
 * begins with `!` takes back what those before it list.
 */
export function isListed({ files }: PackageManifest, path: string): boolean {
  if (files === undefined) return true
  const folders = path.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'))
  let isIn = false
  for (const entry of files) {
    const pattern = patternOf(
      entry
        .replace(/^!/, '')
        .replace(/^\.?\//, '')
        .replace(/\/+$/, ''),
    )
    if (folders.some((folder) => pattern.test(folder))) isIn = !entry.startsWith('!')
  }
  return isIn
}

function patternOf(entry: string): RegExp {
  const source = entry
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/\\\?/g, '[^/]')
    .replace(/\*+\/?/g, (stars) => (stars.startsWith('**') ? '.*' : `[^/]*${stars.endsWith('/') ? '/' : ''}`))
  return new RegExp(`^${source === '' ? '.*' : source}$`)
}

/**
 * File of the module that the package's name means: `exports` as Node reads them where a module imports, else `module`, `main` or index.js, which may lack `.js` or
 * name a folder with an index.js. `shown`: what errors call the folder.
 *
 * @throws PeerError ERR_ENGINE_PACKAGE if there is none, it lies outside of the folder, or is missing
 */
export async function entryOf(folder: string, manifest: PackageManifest, shown = folder): Promise<string> {
  const target = mainTarget(manifest, shown)
  const file = resolve(folder, target)
  const inside = relative(folder, file)
  if (inside.startsWith('..') || inside.startsWith(sep)) throw new PeerError('ERR_ENGINE_PACKAGE', `the entry ${target} of ${shown} lies outside of it`)
  for (const path of pathsOf(target, manifest)) {
    const candidate = resolve(folder, path)
    const found = await lstat(candidate).catch(() => undefined)
    if (found?.isFile() === true) return candidate
    if (found !== undefined && !found.isDirectory())
      throw new PeerError('ERR_ENGINE_PACKAGE', `the entry ${target} of ${shown} is a link or something else that is no file`, { hint: HINT })
  }
  throw new PeerError('ERR_ENGINE_PACKAGE', `the entry ${target} of ${shown} is missing`, { hint: HINT })
}

const HINT = 'build the package first, or correct exports and files in its package.json'

function mainTarget(manifest: PackageManifest, shown: string): string {
  const target = moduleTarget(manifest)
  if (target !== undefined) return target
  const elsewhere = exportsTarget(manifest.exports)
  const found = elsewhere === undefined ? '' : ` and lead to '${elsewhere.slice(0, 100)}'`
  throw new PeerError('ERR_ENGINE_PACKAGE', `the exports in the package.json of ${shown} name no module${found}: expected a path that begins with ./`, {
    hint: 'such as "exports": "./dist/index.js", or "exports": { ".": { "types": "./dist/index.d.ts", "default": "./dist/index.js" } }',
  })
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
