import { join } from 'node:path'
import { Level } from 'level'
import { PeerError } from '../../kernel/index.js'
import { openError } from './errors.js'
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
  const db = new Level<Uint8Array, Uint8Array>(directory, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    ...(options.cacheBytes === undefined ? {} : { cacheSize: options.cacheBytes }),
    ...(options.writeBufferBytes === undefined ? {} : { writeBufferSize: options.writeBufferBytes }),
  })
  try {
    return await createStore(db, options)
  } catch (cause) {
    throw cause instanceof PeerError ? cause : openError(directory, cause)
  }
}
