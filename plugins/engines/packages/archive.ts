import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { ReadEntry } from 'tar'
import { messageOf, PeerError } from '../../../kernel/index.js'
import { MAX_FILES, MAX_PACKAGE_BYTES, type PackageFile } from './own-files.js'
import { clashIn, judgePath, shown } from './paths.js'

const MAX_ARCHIVE_BYTES = 32 * 1024 * 1024

/**
 * Reads an archive as `npm pack` makes it, whoever made it: files and folders below one top folder, nothing else, within bounds. Nothing is written.
 *
 * @throws PeerError ERR_ENGINE_PACKAGE
 */
export async function readArchive(file: string): Promise<PackageFile[]> {
  const about = await stat(file)
  // A pipe or a device may never end, or never begin.
  if (!about.isFile()) throw refused(file, 'it is neither a file nor a folder')
  const { size } = about
  if (size > MAX_ARCHIVE_BYTES) throw refused(file, `it has ${size} bytes, more than ${MAX_ARCHIVE_BYTES}`)
  const { Parser } = await import('tar')
  const files = new Map<string, PackageFile>()
  let total = 0
  const take = (entry: ReadEntry, fail: (reason: Error) => void): void => {
    total += entry.size
    if (entry.type === 'Directory') {
      entry.resume()
      return
    }
    const path = pathInPackage(entry.path)
    if (entry.type !== 'File' && entry.type !== 'OldFile')
      return fail(refused(file, `${shown(entry.path)} is of type ${entry.type}: only files and folders belong in a package`))
    if (path === undefined) return fail(refused(file, `${shown(entry.path)} leads out of the package, or is not below its one folder`))
    const fault = judgePath(path)
    if (fault !== undefined) return fail(refused(file, fault))
    if (files.has(path)) return fail(refused(file, `${path} occurs twice`))
    if (files.size >= MAX_FILES || total > MAX_PACKAGE_BYTES) return fail(refused(file, `it holds more than ${MAX_FILES} files or ${MAX_PACKAGE_BYTES} bytes`))
    const chunks: Buffer[] = []
    files.set(path, { path, bytes: new Uint8Array(0) })
    entry.on('data', (chunk: Buffer) => void chunks.push(chunk))
    entry.on('end', () => void files.set(path, { path, bytes: Buffer.concat(chunks) }))
  }
  await new Promise<void>((done, failed) => {
    const input = createReadStream(file)
    const fail = (reason: unknown): void => {
      input.destroy()
      failed(reason instanceof PeerError ? reason : refused(file, `it is no archive of tar and gzip, or damaged: ${messageOf(reason)}`))
    }
    const parser = new Parser({ strict: true, onReadEntry: (entry) => take(entry, fail) })
    parser.on('error', fail)
    parser.on('end', () => done())
    input.on('error', fail)
    input.on('data', (chunk) => void parser.write(Buffer.from(chunk)))
    input.on('end', () => parser.end())
  })
  if (!files.has('package.json')) throw refused(file, 'it has no package.json')
  const clash = clashIn([...files.keys()])
  if (clash !== undefined) throw refused(file, clash)
  return [...files.values()].sort((left, right) => (left.path < right.path ? -1 : 1))
}

/** The path below the top folder; undefined if it leads elsewhere or is no plain path. */
function pathInPackage(path: string): string | undefined {
  const [top = '', ...parts] = path.replace(/^\.\//, '').split('/')
  return top !== '' && top !== '..' && parts.length > 0 && !parts.includes('..') ? parts.join('/') : undefined
}

function refused(file: string, found: string): PeerError {
  return new PeerError('ERR_ENGINE_PACKAGE', `${file} is no engine's package: ${found}`, { hint: 'make it with npm pack' })
}
