import { createReadStream, existsSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable, type Transform, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { PeerError, messageOf } from '../../../kernel/index.js'
import { badArchive } from './errors.js'

/** An archive compressed with gzip. */
export function gzipped(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  return through(archive, createGzip())
}

/** Writes to a stream that stays open, such as stdout. */
export async function writeStream(archive: AsyncIterable<Uint8Array>, to: Writable): Promise<void> {
  await pipeline(Readable.from(archive), to, { end: false })
}

/**
 * Writes an archive to a file that appears, complete and on the disk, or not at all.
 *
 * @throws PeerError ERR_ARCHIVE_EXISTS if there is such a file and `replace` does not say so; ERR_ARCHIVE_FILE
 */
export async function writeFileWhole(path: string, archive: AsyncIterable<Uint8Array>, { replace }: { readonly replace: boolean }): Promise<void> {
  if (!replace && existsSync(path))
    throw new PeerError('ERR_ARCHIVE_EXISTS', `expected no file ${path}, found one`, { hint: 'name another file, or replace it with --force' })
  const draft = `${path}.part`
  try {
    const file = await open(draft, 'w')
    try {
      for await (const bytes of archive) await file.appendFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
    await syncDirectory(dirname(path))
  } catch (cause) {
    await rm(draft, { force: true })
    throw isFileError(cause) ? new PeerError('ERR_ARCHIVE_FILE', `cannot write ${path}: ${messageOf(cause)}`, { cause }) : cause
  }
}

/** The bytes of an archive in a file; gzip is recognised. Throws ERR_ARCHIVE_FILE if it cannot be read, ERR_ARCHIVE if its compression is damaged. */
export async function* readFile(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* readStream(createReadStream(path))
  } catch (cause) {
    throw isFileError(cause) ? new PeerError('ERR_ARCHIVE_FILE', `cannot read ${path}: ${messageOf(cause)}`, { cause }) : cause
  }
}

/** The bytes of an archive that comes through a stream; gzip is recognised. */
export async function* readStream(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = stream[Symbol.asyncIterator]()
  const head = await firstBytes(chunks)
  const whole = continued(head, chunks)
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* whole
    return
  }
  try {
    yield* through(whole, createGunzip())
  } catch (cause) {
    throw isZlibError(cause) ? badArchive(`its compression is damaged: ${messageOf(cause)}`) : cause
  }
}

async function* through(source: AsyncIterable<Uint8Array>, transform: Transform): AsyncGenerator<Uint8Array> {
  const fed = pipeline(Readable.from(source, { objectMode: false }), transform)
  // A failure of the source arrives by reading what comes out; this promise is only not to be left unhandled.
  fed.catch(() => undefined)
  for await (const chunk of transform) yield Buffer.from(chunk)
  await fed
}

async function firstBytes(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let head = new Uint8Array(0)
  while (head.length < 2) {
    const { done, value } = await chunks.next()
    if (done) return head
    head = Buffer.concat([head, value])
  }
  return head
}

async function* continued(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield head
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

function isFileError(thrown: unknown): boolean {
  return thrown instanceof Error && 'syscall' in thrown
}

function isZlibError(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' && thrown.code.startsWith('Z_')
}
