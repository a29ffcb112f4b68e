import { createHash } from 'node:crypto'
import { lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, PeerError } from '../../../kernel/index.js'
import { isListed, type PackageManifest } from './manifest.js'
import { clashIn, judgePath } from './paths.js'

/** A file of a package: its path in it, with `/`. */
export interface PackageFile {
  readonly path: string
  readonly bytes: Uint8Array
}

export const MAX_FILES = 5000
export const MAX_PACKAGE_BYTES = 64 * 1024 * 1024
const NOT_CODE = /^(readme|licen[cs]e|changelog|notice|authors|contributing)(\..*)?$/i
const LEFT_OUT = new Set(['node_modules', 'test', 'tests', '__tests__', 'coverage'])

/**
 * The files that make up the code of an engine's package: its package.json and, where that has a list `files`, what it lists; else everything. Never hidden
 * files, node_modules, tests, or texts such as README. Links are refused: what they point at is not the package's.
 *
 * @throws PeerError ERR_ENGINE_PACKAGE
 */
export async function ownFiles(folder: string, manifest: PackageManifest): Promise<PackageFile[]> {
  const files: PackageFile[] = []
  let total = 0
  const visit = async (at: string): Promise<void> => {
    const entries = await readdir(join(folder, at), { withFileTypes: true })
    for (const entry of entries.sort((left, right) => (left.name < right.name ? -1 : 1))) {
      const { name } = entry
      const path = at === '' ? name : `${at}/${name}`
      if (name.startsWith('.') || LEFT_OUT.has(name) || NOT_CODE.test(name)) continue
      if (entry.isDirectory()) {
        // Paths that are too deep are refused, not followed.
        const tooDeep = judgePath(path)
        if (tooDeep !== undefined) throw invalid(folder, tooDeep)
        await visit(path)
        continue
      }
      if (path !== 'package.json' && !isListed(manifest, path)) continue
      const fault = judgePath(path)
      if (fault !== undefined) throw invalid(folder, fault)
      if (!entry.isFile()) throw invalid(folder, `${path} is a link or something else that is no file`)
      total += (await lstat(join(folder, path))).size
      if (files.length >= MAX_FILES || total > MAX_PACKAGE_BYTES) throw invalid(folder, `it has more than ${MAX_FILES} files or ${MAX_PACKAGE_BYTES} bytes`)
      files.push({ path, bytes: await readFile(join(folder, path)) })
    }
  }
  try {
    await visit('')
  } catch (cause) {
    if (cause instanceof PeerError) throw cause
    throw new PeerError('ERR_ENGINE_PACKAGE', `${folder} is no engine's package: a file of it cannot be read: ${messageOf(cause)}`, { cause })
  }
  const clash = clashIn(files.map(({ path }) => path))
  if (clash !== undefined) throw invalid(folder, clash)
  return files.sort((left, right) => (left.path < right.path ? -1 : 1))
}

/**
 * The identity of an engine's code: lower-case hex of SHA-256 over the own files of its package in the order of their paths (by code units), each as the length
 * of the path, the path, the length of the contents and the contents; lengths are 8 bytes, big-endian.
 */
export function codeDigest(files: readonly PackageFile[]): string {
  const hash = createHash('sha256')
  const add = (bytes: Uint8Array): void => {
    const length = Buffer.alloc(8)
    length.writeBigUInt64BE(BigInt(bytes.length))
    hash.update(length).update(bytes)
  }
  for (const { path, bytes } of files) {
    add(Buffer.from(path))
    add(bytes)
  }
  return hash.digest('hex')
}

function invalid(folder: string, found: string): PeerError {
  return new PeerError('ERR_ENGINE_PACKAGE', `${folder} is no engine's package: ${found}`)
}
