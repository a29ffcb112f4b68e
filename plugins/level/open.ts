import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Level } from 'level'
import { PeerError } from '../../kernel/index.js'
import { corrupt, openError } from './errors.js'
import { damagedLog } from './write-log.js'
import { type StoreOptions, createStore } from './level-store.js'
import type { Store } from './store.js'

export interface LevelStoreOptions extends StoreOptions {
  /** LevelDB's cache of uncompressed table blocks, in bytes. Default 8 MiB. */
  readonly cacheBytes?: number
  /** Changes kept in memory before LevelDB writes a table, in bytes; up to twice as much is held. Default 4 MiB. */
  readonly writeBufferBytes?: number
}

/** Where the store lies in a peer's directory. */
export function storeDirectory(peerDirectory: string): string {
  return join(peerDirectory, 'db')
}

/**
 * Opens the LevelDB store in `directory` (made if missing; its parent exists) and takes it for this process.
 * Throws ERR_STORE_LOCKED, ERR_STORE_FORMAT, ERR_STORE_CORRUPT or ERR_STORE_OPEN.
 */
export async function openLevelStore(directory: string, options: LevelStoreOptions = {}): Promise<Store> {
  refuseHeadless(directory)
  refuseDamagedLog(directory)
  const db = new Level<Uint8Array, Uint8Array>(directory, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    ...(options.cacheBytes === undefined ? {} : { cacheSize: options.cacheBytes }),
    ...(options.writeBufferBytes === undefined ? {} : { writeBufferSize: options.writeBufferBytes }),
  })
  try {
    return await createStore(db, { ...options, beforeClose: () => emptyLog(db) })
  } catch (cause) {
    throw cause instanceof PeerError ? cause : openError(directory, cause)
  }
}

/** LevelDB finds its data through the file CURRENT. Where that is missing it would begin an empty database, and delete the files of the old one. */
function refuseHeadless(directory: string): void {
  if (!existsSync(directory) || existsSync(join(directory, 'CURRENT'))) return
  // A first start that was killed leaves no more than a manifest.
  const left = filesIn(directory).find((file) => /^\d+\.(ldb|sst|log)$/.test(file))
  if (left === undefined) return
  throw corrupt(`opening ${directory}`, new Error(`the file CURRENT is missing, but there is ${left}`))
}

/**
 * Has LevelDB write what is only in its log into a table, of which it notices the loss: compacting any range does that first, and this one is empty.
 * What fails in it fails nothing else: the log stays.
 */
async function emptyLog(db: object): Promise<void> {
  // Of the database that `level` uses in Node; its types name what all its databases have.
  if (!('compactRange' in db) || typeof db.compactRange !== 'function') return
  const compacted: unknown = Reflect.apply(db.compactRange, db, [AFTER_ALL_KEYS, AFTER_ALL_KEYS])
  await compacted
}

/** Keys begin with the number of a namespace, of which ff is none. */
const AFTER_ALL_KEYS = Uint8Array.of(0xff)

function refuseDamagedLog(directory: string): void {
  if (!existsSync(directory)) return
  const damage = readable(directory, () => damagedLog(directory))
  if (damage !== undefined) throw corrupt(`opening ${directory}`, new Error(damage))
}

function filesIn(directory: string): string[] {
  return readable(directory, () => readdirSync(directory))
}

function readable<T>(directory: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw openError(directory, cause)
  }
}
