import type { Namespace, StoreBatch } from '../level/index.js'

/** A batch whose own rows can be read before it is written, so that several blocks can go into it as if one were written after the other. */
export class GroupBatch implements StoreBatch {
  /** By namespace and key; `undefined`: deleted. */
  private readonly rows = new Map<string, Map<string, Uint8Array | undefined>>()

  /** `written` is what is to be committed. */
  constructor(readonly written: StoreBatch) {}

  get size(): number {
    return this.written.size
  }

  get byteLength(): number {
    return this.written.byteLength
  }

  put(namespace: Namespace, key: Uint8Array, value: Uint8Array): void {
    this.written.put(namespace, key, value)
    this.remember(namespace, key, value)
  }

  delete(namespace: Namespace, key: Uint8Array): void {
    this.written.delete(namespace, key)
    this.remember(namespace, key, undefined)
  }

  /** The value as it will be. */
  read(namespace: Namespace, key: Uint8Array): Uint8Array | undefined {
    const rows = this.rows.get(namespace.name)
    const name = nameOf(key)
    return rows?.has(name) ? rows.get(name) : namespace.get(key)
  }

  private remember(namespace: Namespace, key: Uint8Array, value: Uint8Array | undefined): void {
    let rows = this.rows.get(namespace.name)
    if (rows === undefined) {
      rows = new Map()
      this.rows.set(namespace.name, rows)
    }
    rows.set(nameOf(key), value)
  }
}

/** A value as it is, or as it will be when a group of blocks has been written. */
export function rowWith(batch: StoreBatch | undefined, namespace: Namespace, key: Uint8Array): Uint8Array | undefined {
  return batch instanceof GroupBatch ? batch.read(namespace, key) : namespace.get(key)
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}
