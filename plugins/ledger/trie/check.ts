import type { Namespace, StoreSnapshot } from '../../level/index.js'
import { compareBytes, sameBytes, shortHex } from '../bytes.js'
import type { StateCheck } from '../world-state-structure.js'
import { decodeTrieNode, type TrieNode, trieNodeHash } from './node.js'

const MAX_FAULTS = 100
const ROWS_BETWEEN_PAUSES = 1000

interface OpenNode {
  readonly key: Uint8Array
  readonly stored: TrieNode
  /** Hashes of the children whose rows were found. */
  readonly found: Map<number, Uint8Array>
}

/**
 * Recomputes every node from the rows below it. Rows come in key order, parents before children, so only one path is in memory. The root holds some
 * of its children only (spec/ledger.md §8); those have to be right.
 */
export async function checkTrie(state: Namespace, at: StoreSnapshot, pause: () => Promise<void>): Promise<StateCheck> {
  const check = new TrieCheck()
  let rows = 0
  for await (const [key, row] of state.entries({}, at)) {
    check.row(key, decodeTrieNode(row))
    if (++rows % ROWS_BETWEEN_PAUSES === 0) await pause()
  }
  check.finish()
  return { hash: check.rootHash, keysChecked: check.keysChecked, faults: check.faults }
}

class TrieCheck {
  readonly faults: { where: string; what: string }[] = []
  keysChecked = 0n
  rootHash: Uint8Array | undefined
  private readonly path: OpenNode[] = []

  row(key: Uint8Array, stored: TrieNode): void {
    while (this.path.length > 0 && !isChild(this.path.at(-1)?.key, key)) this.close()
    if (this.path.length === 0 && key.length > 1) this.fault(key, 'has no row of the node above it')
    if (stored.value !== undefined) this.keysChecked += 1n
    this.path.push({ key, stored, found: new Map() })
  }

  finish(): void {
    while (this.path.length > 0) this.close()
  }

  private close(): void {
    const open = this.path.pop()
    if (!open) return
    const { key, stored, found } = open
    if (key.length === 0) {
      for (const [index, hash] of stored.children) this.compare(key, index, hash, found.get(index))
      this.rootHash = trieNodeHash(key, stored)
      return
    }
    for (const index of new Set([...stored.children.keys(), ...found.keys()])) this.compare(key, index, stored.children.get(index), found.get(index))
    const hash = trieNodeHash(key, { value: stored.value, children: found })
    if (hash === undefined) this.fault(key, 'has neither a value nor a child')
    else this.path.at(-1)?.found.set(key[key.length - 1] ?? 0, hash)
  }

  private compare(key: Uint8Array, index: number, stored: Uint8Array | undefined, found: Uint8Array | undefined): void {
    if (!sameBytes(stored, found)) this.fault(key, `expected hash ${shortHex(found)} of child ${index}, found ${shortHex(stored)}`)
  }

  private fault(key: Uint8Array, what: string): void {
    if (this.faults.length < MAX_FAULTS) this.faults.push({ where: `trie node ${shortHex(key)}`, what })
  }
}

function isChild(parent: Uint8Array | undefined, key: Uint8Array): boolean {
  return parent !== undefined && key.length === parent.length + 1 && compareBytes(key.subarray(0, parent.length), parent) === 0
}
