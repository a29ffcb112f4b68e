import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { PeerError } from '../../../kernel/index.js'
import { lockDirectory } from '../../directory/index.js'
import { type Store, openLevelStore, storeDirectory } from '../../level/index.js'
import { type BuildOptions, type BuildReport, buildLedger } from './build.js'
import { readArchive, type ReadOptions } from './read.js'

const WRITE_BUFFER_BYTES = 16 * 1024 * 1024

/** Where a ledger is built before it is accepted. */
function stagingDirectory(directory: string): string {
  return join(directory, 'db-import')
}

/**
 * Builds a peer's store from an archive. It is built beside its place and moved there in one step once everything has been checked and is on the disk: a
 * process that is killed leaves no store, and what it left is deleted by the next import. Nobody else may use the directory meanwhile.
 *
 * @param directory the peer's (`peer.fileSystemPath`), made if missing
 * @throws PeerError ERR_LEDGER_NOT_EMPTY if there is a store; ERR_PEER_DIRECTORY_LOCKED if a peer, or another import, is at work; what {@link buildLedger} throws
 */
export async function importLedger(directory: string, source: AsyncIterable<Uint8Array>, options: BuildOptions & ReadOptions): Promise<BuildReport> {
  const place = storeDirectory(directory)
  // Before the lock, which a running peer has: this says more.
  requireNoStore(place)
  const lock = lockDirectory(directory)
  try {
    requireNoStore(place)
    return await buildAside(stagingDirectory(directory), place, source, options)
  } finally {
    lock.release()
  }
}

async function buildAside(staging: string, place: string, source: AsyncIterable<Uint8Array>, options: BuildOptions & ReadOptions): Promise<BuildReport> {
  rmSync(staging, { recursive: true, force: true })
  try {
    // Only the last write is waited for: until then there is nothing to lose.
    const store = await openLevelStore(staging, { sync: 'blocks', writeBufferBytes: WRITE_BUFFER_BYTES })
    const report = await buildAndClose(store, source, options)
    moveIntoPlace(staging, place)
    return report
  } catch (thrown) {
    rmSync(staging, { recursive: true, force: true })
    throw thrown
  }
}

async function buildAndClose(store: Store, source: AsyncIterable<Uint8Array>, options: BuildOptions & ReadOptions): Promise<BuildReport> {
  try {
    return await buildLedger(store, readArchive(source, options), options)
  } finally {
    await store.close()
  }
}

function moveIntoPlace(staging: string, place: string): void {
  for (const file of readdirSync(staging)) sync(join(staging, file))
  sync(staging)
  if (existsSync(place)) rmdirSync(place)
  renameSync(staging, place)
  sync(join(place, '..'))
}

/** Waits until a file or directory is on the disk. */
function sync(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function requireNoStore(place: string): void {
  if (!existsSync(place) || readdirSync(place).length === 0) return
  throw new PeerError('ERR_LEDGER_NOT_EMPTY', `expected no ledger in ${place}, found one`, {
    hint: 'an archive is imported into an empty peer.fileSystemPath: set another one, or stop the peer and move this one away',
  })
}
