import type { Namespace, StoreBatch, StoreSnapshot } from '../../level/index.js'
import { binaryString } from '../bytes.js'
import { compositeKey } from '../encodings.js'
import { chaincodeRange } from '../key-range.js'
import type { StateEntry, StateKey } from '../ledger.js'
import type { StateDelta } from '../state-delta.js'
import type { PreparedState, StateCheck, WorldStateStructure } from '../world-state-structure.js'
import { checkTrie } from './check.js'
import { decodeTrieNode, encodeTrieNode, type TrieNode, trieNodeHash } from './node.js'

const ROOT_KEY = new Uint8Array(0)

/** A node with what this batch changes of it. */
interface TouchedNode {
  readonly key: Uint8Array
  /** Set if the batch changes the value; inside, no value means deleted. */
  update: { readonly value: Uint8Array | undefined } | undefined
  /** Changed child hashes by index; no hash means that the child is gone. */
  readonly children: Map<number, Uint8Array | undefined>
}

interface ComputedNode {
  readonly key: Uint8Array
  readonly node: TrieNode
  readonly hash: Uint8Array | undefined
}

/**
 * The trie of v0.6 (spec/ledger.md §8), one node per byte of a composite key. Its root is not merged with the stored root, as in v0.6: a network that
 * uses it computes its hashes so.
 */
export class Trie implements WorldStateStructure {
  private committedHash: Uint8Array | undefined

  constructor(private readonly state: Namespace) {
    const root = this.node(ROOT_KEY)
    this.committedHash = root && trieNodeHash(ROOT_KEY, root)
  }

  get hash(): Uint8Array | undefined {
    return this.committedHash
  }

  get(chaincode: StateKey, key: StateKey, at?: StoreSnapshot): Uint8Array | undefined {
    return this.node(compositeKey(chaincode, key), at)?.value
  }

  async *range(chaincode: StateKey, startKey: StateKey, endKey: StateKey, at: StoreSnapshot): AsyncIterable<StateEntry> {
    const range = chaincodeRange(chaincode, startKey, endKey)
    if (!range) return
    for await (const [composite, row] of this.state.entries(range, at)) {
      const { value } = decodeTrieNode(row)
      if (value !== undefined) yield { key: composite.subarray(chaincode.length + 1), value }
    }
  }

  list(chaincode: StateKey, startKey: StateKey, endKey: StateKey, at: StoreSnapshot): AsyncIterable<StateEntry> {
    return this.range(chaincode, startKey, endKey, at)
  }

  async *entries(at: StoreSnapshot): AsyncIterable<readonly [compositeKey: Uint8Array, value: Uint8Array]> {
    for await (const [key, row] of this.state.entries({ gt: ROOT_KEY }, at)) {
      const { value } = decodeTrieNode(row)
      if (value !== undefined) yield [key, value]
    }
  }

  check(at: StoreSnapshot, pause: () => Promise<void>): Promise<StateCheck> {
    return checkTrie(this.state, at, pause)
  }

  hashContext(at: StoreSnapshot): Uint8Array {
    return Uint8Array.from(this.node(ROOT_KEY, at)?.children.keys() ?? []).sort()
  }

  prepareContext(context: Uint8Array): PreparedState {
    const children = new Map<number, Uint8Array | undefined>()
    for (const index of context) {
      const key = Uint8Array.of(index)
      const node = this.node(key)
      children.set(index, node && trieNodeHash(key, node))
    }
    const root = rootOf({ key: ROOT_KEY, update: undefined, children })
    return this.prepared(root.hash, [root])
  }

  covers(composite: Uint8Array, context: Uint8Array): boolean {
    return context.includes(composite[0] ?? 0)
  }

  async prepare(delta: StateDelta, rollBackwards: boolean): Promise<PreparedState> {
    const levels = leavesByLevel(delta, rollBackwards)
    const computed: ComputedNode[] = []
    for (let level = levels.length - 1; level > 0; level -= 1) {
      for (const touched of levels[level]?.values() ?? []) {
        const node = this.merge(touched)
        const hash = trieNodeHash(touched.key, node)
        computed.push({ key: touched.key, node, hash })
        touchedNode(levels, touched.key.subarray(0, level - 1)).children.set(touched.key[level - 1] ?? 0, hash)
      }
    }
    const root = levels[0]?.get('')
    if (root) computed.push(rootOf(root))
    const hash = root ? computed.at(-1)?.hash : this.committedHash
    return this.prepared(hash, computed)
  }

  private prepared(hash: Uint8Array | undefined, computed: readonly ComputedNode[]): PreparedState {
    return {
      hash,
      write: (batch) => this.write(batch, computed),
      committed: () => {
        this.committedHash = hash
      },
    }
  }

  private node(key: Uint8Array, at?: StoreSnapshot): TrieNode | undefined {
    const row = this.state.get(key, at)
    return row && decodeTrieNode(row)
  }

  /** What this batch sets, over what is stored. */
  private merge({ key, update, children }: TouchedNode): TrieNode {
    const stored = this.node(key)
    const merged = new Map(stored?.children)
    for (const [index, hash] of children) {
      if (hash === undefined) merged.delete(index)
      else merged.set(index, hash)
    }
    return { value: update ? update.value : stored?.value, children: merged }
  }

  private write(batch: StoreBatch, nodes: readonly ComputedNode[]): void {
    for (const { key, node, hash } of nodes) {
      if (hash === undefined) batch.delete(this.state, key)
      else batch.put(this.state, key, encodeTrieNode(node))
    }
  }
}

type Levels = (Map<string, TouchedNode> | undefined)[]

/** The leaves of a delta in the map of their level, which is the length of their key. */
function leavesByLevel(delta: StateDelta, rollBackwards: boolean): Levels {
  const levels: Levels = []
  for (const { chaincode, entries } of delta.groups.values()) {
    for (const { key, value, previousValue } of entries.values()) {
      // A deleted key stays deleted when v0.6 goes backwards on a trie (spec/ledger.md §8).
      const wanted = rollBackwards && value !== undefined ? previousValue : value
      touchedNode(levels, compositeKey(chaincode, key)).update = { value: wanted }
    }
  }
  return levels
}

function touchedNode(levels: Levels, key: Uint8Array): TouchedNode {
  const level = (levels[key.length] ??= new Map())
  const name = binaryString(key)
  const existing = level.get(name)
  if (existing) return existing
  const node: TouchedNode = { key, update: undefined, children: new Map() }
  level.set(name, node)
  return node
}

/** The root of this batch: only the children that the batch touched (spec/ledger.md §8, a defect that must match). */
function rootOf({ key, children }: TouchedNode): ComputedNode {
  const present = new Map<number, Uint8Array>()
  for (const [index, hash] of children) if (hash !== undefined) present.set(index, hash)
  const node = { value: undefined, children: present }
  return { key, node, hash: trieNodeHash(key, node) }
}
