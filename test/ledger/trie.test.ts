import { describe, expect, it } from 'vitest'
import { decodeTrieNode, encodeTrieNode, trieNodeHash } from '../../plugins/ledger/trie/node.js'
import { StateDelta, createLedger, encodeDelta } from '../../plugins/ledger/index.js'
import { createStore } from '../../plugins/level/index.js'
import { SimDisk } from '../kit/sim-disk.js'
import type { FakeStore } from './fake-store.js'
import { type Operation, collect, commitOperations, fixedClock, hex, newLedger, text, unhex, vector } from './kit.js'

const TRIE = { structure: 'trie' } as const

interface Row {
  readonly keyHex: string
  readonly value: string | null
  readonly children: { hashHex: string; index: number }[]
}

/** The rows of the store as the vectors show them. */
const rowsOf = (store: FakeStore): Row[] =>
  store.hexRows('state-0').map(({ keyHex, valueHex }) => {
    const { value, children } = decodeTrieNode(unhex(valueHex))
    return { keyHex, value: hex(value), children: Array.from(children, ([index, hash]) => ({ hashHex: hex(hash) ?? '', index })) }
  })

const expectedRows = (rows: readonly Row[]): Row[] =>
  rows.map(({ keyHex, value, children }) => ({
    keyHex,
    value,
    children: children.map(({ hashHex, index }) => ({ hashHex, index })).sort((a, b) => a.index - b.index),
  }))

describe('the trie', () => {
  it('hashes and stores nodes as the original', () => {
    interface Node {
      readonly hashHex: string | null
      readonly keyHex: string
      readonly storedHex: string
      readonly valueHex: string | null
      readonly childHashHex?: string
      readonly childIndex?: number
    }
    for (const { hashHex, keyHex, storedHex, valueHex, childHashHex, childIndex } of vector('trie_nodes.json', (json): { cases: Node[] } => JSON.parse(json))
      .cases) {
      const children = new Map(childHashHex === undefined || childIndex === undefined ? [] : [[childIndex, unhex(childHashHex)] as const])
      const node = { value: valueHex === null ? undefined : unhex(valueHex), children }
      expect(hex(trieNodeHash(unhex(keyHex), node))).toBe(hashHex)
      expect(hex(encodeTrieNode(node))).toBe(storedHex)
    }
  })

  it('gives the hashes and rows of the original, with the root that is not merged', async () => {
    const { ledger, store } = await newLedger(TRIE)
    for (const { batch, ops, stateHashHex, dbAfter } of vector(
      'trie.json',
      (json): { batches: { batch: number; ops: Operation[]; stateHashHex: string | null; dbAfter: Row[] }[] } => JSON.parse(json),
    ).batches) {
      await commitOperations(ledger, `tx-${batch}`, ops)
      expect(hex(ledger.stateHash()), `batch ${batch}`).toBe(stateHashHex)
      expect(rowsOf(store)).toEqual(expectedRows(dbAfter))
      const again = await createLedger({ store: store.copy(), clock: fixedClock, settings: TRIE })
      expect((await again.verify()).faults).toEqual([])
    }
  })

  it('agrees on five hundred keys that are changed and deleted', async () => {
    const { ledger, store } = await newLedger(TRIE)
    const steps: [(i: number) => boolean, string | undefined][] = [
      [() => true, 'value'],
      [(i) => i % 3 === 0, 'new'],
      [(i) => i % 2 === 0, undefined],
      [() => true, undefined],
    ]
    const { afterStep } = vector('trie_bulk.json', (json): { afterStep: { numNodesStored: number; stateHashHex: string | null }[] } => JSON.parse(json))
    for (const [step, [isChosen, word]] of steps.entries()) {
      const chosen = Array.from({ length: 500 }, (_, i) => i).filter(isChosen)
      const ops = chosen.map((i) => ({
        chaincodeIDHex: Buffer.from(`cc${i % 7}`).toString('hex'),
        keyHex: Buffer.from(`key${i}`).toString('hex'),
        op: word === undefined ? 'delete' : 'put',
        valueHex: Buffer.from(`${word}${i}`).toString('hex'),
      }))
      await commitOperations(ledger, `step-${step}`, ops)
      expect(hex(ledger.stateHash())).toBe(afterStep[step]?.stateHashHex)
      expect(store.hexRows('state-0')).toHaveLength(afterStep[step]?.numNodesStored ?? -1)
    }
  })

  it('does not restore deleted keys with rollBackwards, as the original', async () => {
    const { ledger, store } = await newLedger(TRIE)
    const { steps } = vector('trie_rollback.json', (json): { steps: { stateHashHex: string; dbAfter: Row[] }[] } => JSON.parse(json))
    const leaf = unhex(steps[0]?.dbAfter.at(-1)?.keyHex ?? '')
    const chaincode = leaf.subarray(0, leaf.indexOf(0))
    const delta = (changes: readonly (readonly [string, string | undefined, string | undefined])[]) => {
      const made = new StateDelta()
      for (const [key, value, before] of changes)
        made.set(chaincode, text(key), value === undefined ? undefined : text(value), before === undefined ? undefined : text(before))
      return encodeDelta(made)
    }
    const forward1 = delta([
      ['k1', 'a', undefined],
      ['k2', 'b', undefined],
    ])
    const forward2 = delta([
      ['k1', 'A', 'a'],
      ['k2', undefined, 'b'],
      ['k3', 'c', undefined],
    ])
    for (const [step, [bytes, rollBackwards]] of (
      [
        [forward1, false],
        [forward2, false],
        [forward2, true],
      ] as const
    ).entries()) {
      await (await ledger.applyStateDelta(bytes, { rollBackwards })).commit(0n)
      expect(hex(ledger.stateHash())).toBe(steps[step]?.stateHashHex)
      expect(rowsOf(store)).toEqual(expectedRows(steps[step]?.dbAfter ?? []))
    }
  })

  it('reads and scans in key order', async () => {
    const { ledger } = await newLedger(TRIE)
    const put = (chaincode: string, key: string) => ({
      chaincodeIDHex: hex(text(chaincode)) ?? '',
      keyHex: hex(text(key)) ?? '',
      op: 'put',
      valueHex: hex(text(key)),
    })
    await commitOperations(ledger, 'tx', [put('cc', 'b'), put('cc', 'a'), put('cc', 'ab'), put('cc', 'c'), put('cd', 'a'), put('c', 'z')])
    const scan = async (start: string, end: string) =>
      (await collect(ledger.committed.range(text('cc'), text(start), text(end)))).map(({ key }) => Buffer.from(key).toString())
    expect(await scan('', '')).toEqual(['a', 'ab', 'b', 'c'])
    expect(await scan('ab', 'b')).toEqual(['ab', 'b'])
    expect(await scan('b', 'a')).toEqual([])
    expect(hex(ledger.committed.get(text('cc'), text('ab')))).toBe(hex(text('ab')))
    const snapshot = ledger.stateSnapshot()
    expect((await collect(snapshot.entries)).map(([composite]) => Buffer.from(composite).toString('latin1'))).toEqual([
      'c\0z',
      'cc\0a',
      'cc\0ab',
      'cc\0b',
      'cc\0c',
      'cd\0a',
    ])
    await snapshot.release()
  })

  it('names a node that does not agree with those below it', async () => {
    const { ledger, store } = await newLedger(TRIE)
    await commitOperations(ledger, 'tx', [{ chaincodeIDHex: '63', keyHex: '61', op: 'put', valueHex: '31' }])
    store.rows.get('state-0')?.set('c\0a', encodeTrieNode({ value: text('2'), children: new Map() }))
    expect((await ledger.verify()).faults).toEqual([
      { where: 'trie node 6300', what: expect.stringMatching(/^expected hash .* of child 97, found/) },
      expect.anything(),
      expect.anything(),
    ])
  })
})

describe('the trie on the real store', () => {
  it('keeps its root, whose key is empty, and opens again', async () => {
    const disk = new SimDisk()
    const open = async () => {
      const store = await createStore(disk.open(), { sync: 'all' })
      return { store, ledger: await createLedger({ store, clock: fixedClock, settings: TRIE, genesis: true }) }
    }
    const first = await open()
    await commitOperations(first.ledger, 'tx', [{ chaincodeIDHex: '63', keyHex: '61', op: 'put', valueHex: '31' }])
    await first.store.close()
    const { ledger } = await open()
    expect(hex(ledger.stateHash())).toBe(hex(first.ledger.stateHash()))
    expect((await ledger.verify()).faults).toEqual([])
  })
})
