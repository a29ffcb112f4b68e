import type { AbstractChainedBatch } from 'abstract-level'
import { PeerError } from '../../kernel/index.js'
import type { Backend } from './backend.js'
import { LevelNamespace } from './namespace.js'
import { prefixed } from './prefix.js'
import type { Namespace, StoreBatch } from './store.js'

/** Operations in the order in which they were asked for; a later one on the same key wins. */
export class LevelBatch implements StoreBatch {
  readonly #keys: Uint8Array[] = []
  /** `undefined` deletes. */
  readonly #values: (Uint8Array | undefined)[] = []
  #byteLength = 0
  #committed = false

  constructor(
    /** The store whose batch it is. */
    readonly owner: object,
  ) {}

  get size(): number {
    return this.#keys.length
  }

  get byteLength(): number {
    return this.#byteLength
  }

  put(namespace: Namespace, key: Uint8Array, value: Uint8Array): void {
    if (!(value instanceof Uint8Array)) throw notBytes('value', value)
    this.#add(namespace, key, value)
  }

  delete(namespace: Namespace, key: Uint8Array): void {
    this.#add(namespace, key, undefined)
  }

  /** Closes the batch for changes. Throws ERR_STORE_BATCH the second time. */
  seal(): void {
    this.#refuseIfCommitted()
    this.#committed = true
  }

  /** Adds its operations to a write of LevelDB. */
  addTo(write: AbstractChainedBatch<Backend, Uint8Array, Uint8Array>): void {
    for (let index = 0; index < this.#keys.length; index += 1) {
      const key = this.#keys[index]
      const value = this.#values[index]
      if (key === undefined) continue
      if (value === undefined) write.del(key)
      else write.put(key, value)
    }
  }

  #add(namespace: Namespace, key: Uint8Array, value: Uint8Array | undefined): void {
    this.#refuseIfCommitted()
    if (!(namespace instanceof LevelNamespace) || namespace.owner !== this.owner) {
      throw new PeerError('ERR_STORE_BATCH', `expected a namespace of this store, found ${namespace.name} of another one`, {
        hint: 'get it with namespace() of the store that made the batch',
      })
    }
    if (!(key instanceof Uint8Array)) throw notBytes('key', key)
    const stored = prefixed(namespace.prefix, key)
    this.#keys.push(stored)
    this.#values.push(value)
    this.#byteLength += stored.length + (value?.length ?? 0)
  }

  #refuseIfCommitted(): void {
    if (this.#committed)
      throw new PeerError('ERR_STORE_BATCH', 'expected an open batch, found one that has been committed', { hint: 'make a new batch for every commit' })
  }
}

function notBytes(what: string, found: unknown): PeerError {
  return new PeerError('ERR_STORE_BATCH', `expected bytes (a Uint8Array) as ${what}, found ${found === null ? 'null' : typeof found}`)
}
