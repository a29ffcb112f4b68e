import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Store, type StoreOptions, createStore, openLevelStore } from '../../plugins/level/index.js'
import { SimDisk } from '../kit/sim-disk.js'

/** A place where the same store can be opened again and again. */
export interface Place {
  open(options?: StoreOptions): Promise<Store>
  remove(): void
}

export const BACKENDS: readonly { readonly name: string; place(): Place }[] = [
  {
    name: 'LevelDB',
    place() {
      const directory = temporaryDirectory()
      return { open: (options) => openLevelStore(directory, options), remove: () => rmSync(directory, { recursive: true }) }
    },
  },
  {
    name: 'the simulated disk',
    place() {
      const disk = new SimDisk()
      return { open: (options) => createStore(disk.open(), options), remove: () => undefined }
    },
  },
]

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'weft-level-'))
}

export function bytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}

/** Commits rows given as text. */
export function put(store: Store, namespace: string, rows: Readonly<Record<string, string>>, kind: 'block' | 'record' = 'block'): Promise<void> {
  const batch = store.batch()
  for (const [key, value] of Object.entries(rows)) batch.put(store.namespace(namespace), bytes(key), bytes(value))
  return store.commit(batch, kind)
}

/** The value of a key as text. */
export function get(store: Store, namespace: string, key: string): string | undefined {
  const value = store.namespace(namespace).get(bytes(key))
  return value === undefined ? undefined : Buffer.from(value).toString('latin1')
}

/** All rows as `key=value`, in the order in which they come. */
export async function rows(entries: AsyncIterable<readonly [Uint8Array, Uint8Array]>): Promise<string[]> {
  const found: string[] = []
  for await (const [key, value] of entries) found.push(`${Buffer.from(key).toString('latin1')}=${Buffer.from(value).toString('latin1')}`)
  return found
}
