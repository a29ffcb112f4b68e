import type { AbstractSnapshot } from 'abstract-level'
import { PeerError } from '../../kernel/index.js'
import type { Backend } from './backend.js'
import { readError } from './errors.js'
import { prefixOf, prefixed } from './prefix.js'
import { snapshotOf } from './snapshot.js'
import type { KeyRange, Namespace, StoreSnapshot } from './store.js'

/** Entries fetched from LevelDB at once; it stops earlier at 16 KiB. */
const CHUNK_ENTRIES = 256

/** The keys behind one prefix. */
export class LevelNamespace implements Namespace {
  readonly prefix: Uint8Array
  readonly #end: Uint8Array

  constructor(
    readonly name: string,
    number: number,
    private readonly db: Backend,
    /** The store it is part of. */
    readonly owner: object,
  ) {
    this.prefix = prefixOf(number)
    this.#end = prefixOf(number + 1)
  }

  get(key: Uint8Array, at?: StoreSnapshot): Uint8Array | undefined {
    const stored = prefixed(this.prefix, key)
    try {
      if (at === undefined) return this.db.getSync(stored)
      return this.db.getSync<Uint8Array, Uint8Array>(stored, snapshotOf(at, this.owner).readOptions)
    } catch (cause) {
      throw readError(cause)
    }
  }

  entries(range: KeyRange = {}, at?: StoreSnapshot): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]> {
    const limit = range.limit ?? -1
    if (range.limit !== undefined && !(Number.isInteger(limit) && limit >= 0)) {
      throw new PeerError('ERR_STORE_RANGE', `expected a limit of 0 or more entries, found ${limit}`, { details: { limit } })
    }
    const bounds = { ...lowerBound(this.prefix, range), ...upperBound(this.prefix, this.#end, range), reverse: range.reverse ?? false, limit }
    const snapshot = at && snapshotOf(at, this.owner).inner
    // Every loop over the result reads afresh: LevelDB takes its implicit snapshot when a loop begins.
    return { [Symbol.asyncIterator]: () => scan(this.db, bounds, this.prefix.length, snapshot) }
  }
}

interface Bounds {
  readonly gte?: Uint8Array
  readonly gt?: Uint8Array
  readonly lte?: Uint8Array
  readonly lt?: Uint8Array
  readonly reverse: boolean
  readonly limit: number
}

/** Where the range begins; with both `gt` and `gte` the narrower one holds. */
function lowerBound(prefix: Uint8Array, { gte, gt }: KeyRange): Pick<Bounds, 'gte' | 'gt'> {
  if (gt !== undefined && (gte === undefined || Buffer.compare(gt, gte) >= 0)) return { gt: prefixed(prefix, gt) }
  return { gte: gte === undefined ? prefix : prefixed(prefix, gte) }
}

/** Where the range ends; with both `lt` and `lte` the narrower one holds. */
function upperBound(prefix: Uint8Array, end: Uint8Array, { lte, lt }: KeyRange): Pick<Bounds, 'lte' | 'lt'> {
  if (lt !== undefined && (lte === undefined || Buffer.compare(lt, lte) <= 0)) return { lt: prefixed(prefix, lt) }
  return lte === undefined ? { lt: end } : { lte: prefixed(prefix, lte) }
}

async function* scan(
  db: Backend,
  bounds: Bounds,
  prefixBytes: number,
  snapshot: AbstractSnapshot | undefined,
): AsyncGenerator<readonly [Uint8Array, Uint8Array], void> {
  const iterator = openIterator(db, bounds, snapshot)
  try {
    for (;;) {
      const chunk = await iterator.nextv(CHUNK_ENTRIES).catch((cause: unknown) => {
        throw readError(cause)
      })
      if (chunk.length === 0) return
      for (const [key, value] of chunk) yield [key.subarray(prefixBytes), value]
    }
  } finally {
    await iterator.close()
  }
}

function openIterator(db: Backend, bounds: Bounds, snapshot: AbstractSnapshot | undefined) {
  try {
    return db.iterator<Uint8Array, Uint8Array>({ ...bounds, snapshot })
  } catch (cause) {
    throw readError(cause)
  }
}
