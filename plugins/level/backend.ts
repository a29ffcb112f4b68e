import type { AbstractLevel } from 'abstract-level'

/** A key-value database with LevelDB's guarantees: ordered keys, atomic batches in a log, `sync` on a write. Its default encodings are `view`. */
export type Backend = AbstractLevel<string | Buffer | Uint8Array, Uint8Array, Uint8Array>

/** Waits until the write is on the disk. */
export const SYNCED = Object.freeze({ sync: true })

/** Waits until the operating system has the write: it survives `kill -9`, not a power cut. */
export const UNSYNCED = Object.freeze({ sync: false })
