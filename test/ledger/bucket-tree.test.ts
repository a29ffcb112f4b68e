import { describe, expect, it } from 'vitest'
import { bucketContent, bucketHash } from '../../plugins/ledger/bucket-tree/bucket.js'
import { changedNodeRow, nodeRowHash } from '../../plugins/ledger/bucket-tree/node-row.js'
import { nodeHash } from '../../plugins/ledger/bucket-tree/node.js'
import { TreeShape, fnv1a32 } from '../../plugins/ledger/bucket-tree/shape.js'
import { entryRowKey } from '../../plugins/ledger/bucket-tree/tree-store.js'
import { compositeKey } from '../../plugins/ledger/encodings.js'
import { StateDelta, encodeDelta } from '../../plugins/ledger/index.js'
import { type Operation, collect, commitOperations, hex, newLedger, text, unhex, vector } from './kit.js'

interface Shape {
  readonly levels: { lowestLevel: number; numBucketsPerLevel: number[] }
  readonly maxGroupingAtEachLevel: number
  readonly numBuckets: number
}

interface Batches extends Shape {
  readonly batches: { ops: Operation[]; stateHashHex: string | null; dbAfter: { keyHex: string; valueHex: string }[] }[]
}

const shapes = (file: string): Batches[] => {
  const data = vector(file, (json): Batches | { cases: Batches[] } => JSON.parse(json))
  return 'cases' in data ? data.cases : [data]
}

describe('the bucket tree', () => {
  it('numbers levels, buckets, parents and rows as the original', () => {
    interface Key {
      readonly bucketNumber: number
      readonly chaincodeIDHex: string
      readonly keyHex: string
      readonly fnv1a32: number
      readonly dataNodeDBKeyHex: string
      readonly pathToRoot: { bucketNumber: number; indexInParent?: number; level: number }[]
    }
    for (const { keys, levels, numBuckets, maxGroupingAtEachLevel } of vector('buckettree_numbering.json', (json): { cases: (Shape & { keys: Key[] })[] } =>
      JSON.parse(json),
    ).cases) {
      const shape = new TreeShape(numBuckets, maxGroupingAtEachLevel)
      expect(shape.levelSizes).toEqual(levels.numBucketsPerLevel)
      expect(shape.lowestLevel).toBe(levels.lowestLevel)
      for (const key of keys) {
        const [chaincode, name] = [unhex(key.chaincodeIDHex), unhex(key.keyHex)]
        expect(fnv1a32(chaincode, name)).toBe(key.fnv1a32)
        expect(shape.bucketOf(chaincode, name)).toBe(key.bucketNumber)
        expect(hex(entryRowKey(key.bucketNumber, compositeKey(chaincode, name)))).toBe(key.dataNodeDBKeyHex)
        let bucket = key.bucketNumber
        for (const step of key.pathToRoot) {
          expect(bucket).toBe(step.bucketNumber)
          if (step.level > 0) expect(shape.slotOf(bucket)).toBe(step.indexInParent)
          bucket = shape.parentOf(bucket)
        }
      }
    }
  })

  it('hashes buckets and nodes as the original', () => {
    interface Nodes {
      readonly buckets: { contentHex: string; hashHex: string | null; sortedNodes: { chaincodeIDHex: string; keyHex: string; valueHex: string }[] }[]
      readonly bucketNodes: { childHashes: (string | null)[]; nodeHashHex: string | null; valueHex: string; markedForDeletion: boolean }[]
    }
    const { buckets, bucketNodes } = vector('buckettree_nodes.json', (json): Nodes => JSON.parse(json))
    for (const { contentHex, hashHex, sortedNodes } of buckets) {
      const bucket = sortedNodes.map(({ chaincodeIDHex, keyHex, valueHex }) => ({
        composite: compositeKey(unhex(chaincodeIDHex), unhex(keyHex)),
        chaincodeLength: chaincodeIDHex.length / 2,
        value: unhex(valueHex),
      }))
      expect(hex(bucketContent(bucket))).toBe(contentHex ?? '')
      expect(hex(bucketHash(bucket))).toBe(hashHex)
    }
    for (const { childHashes, nodeHashHex, valueHex, markedForDeletion } of bucketNodes) {
      const children = childHashes.map((child) => (child === null ? undefined : unhex(child)))
      expect(hex(nodeHash(children))).toBe(nodeHashHex)
      const changes = children.map((child) => child ?? null)
      const row = changedNodeRow(undefined, changes, children.length)
      expect(row === undefined).toBe(markedForDeletion)
      expect(hex(row && nodeRowHash(row))).toBe(nodeHashHex)
      if (row) expect(hex(row)).toBe(valueHex)
    }
  })

  for (const file of ['buckettree_small.json', 'buckettree_core_yaml.json', 'buckettree_builtin_default.json', 'buckettree_shapes.json']) {
    for (const cacheMiB of [100, 0]) {
      it(`gives the hashes and rows of ${file} with a cache of ${cacheMiB} MiB`, async () => {
        for (const { batches, numBuckets, maxGroupingAtEachLevel } of shapes(file)) {
          const { ledger, store } = await newLedger({ numBuckets, maxGroupingAtEachLevel, bucketCacheSizeMiB: cacheMiB })
          for (const [number, { ops, stateHashHex, dbAfter }] of batches.entries()) {
            await commitOperations(ledger, `tx-${number}`, ops)
            expect(hex(ledger.stateHash())).toBe(stateHashHex)
            expect(store.hexRows('state-0')).toEqual(dbAfter.map(({ keyHex, valueHex }) => ({ keyHex, valueHex })))
          }
        }
      })
    }
  }

  it('agrees on three thousand keys that are changed and deleted', async () => {
    interface Bulk {
      readonly cases: (Shape & { afterStep: { numBucketNodesStored: number; stateHashHex: string | null }[] })[]
    }
    const all = Array.from({ length: 3000 }, (_, i) => i)
    const steps: [(i: number) => boolean, string | undefined][] = [
      [() => true, 'value'],
      [(i) => i % 3 === 0, 'new'],
      [(i) => i % 2 === 0, undefined],
      [(i) => i >= 10, undefined],
      [() => true, undefined],
    ]
    for (const { afterStep, numBuckets, maxGroupingAtEachLevel } of vector('buckettree_bulk.json', (json): Bulk => JSON.parse(json)).cases) {
      const { ledger, store } = await newLedger({ numBuckets, maxGroupingAtEachLevel })
      for (const [step, [isChosen, word]] of steps.entries()) {
        const ops = all.filter(isChosen).map((i) => ({
          chaincodeIDHex: Buffer.from(`cc${i % 7}`).toString('hex'),
          keyHex: Buffer.from(`key${i}`).toString('hex'),
          op: word === undefined ? 'delete' : 'put',
          valueHex: Buffer.from(`${word}${i}`).toString('hex'),
        }))
        await commitOperations(ledger, `step-${step}`, ops)
        expect(hex(ledger.stateHash())).toBe(afterStep[step]?.stateHashHex)
        expect(store.hexRows('state-0').filter(({ keyHex }) => keyHex.startsWith('00'))).toHaveLength(afterStep[step]?.numBucketNodesStored ?? -1)
      }
    }
  })

  it('goes back with rollBackwards', async () => {
    const steps = vector('buckettree_rollback.json', (json): { steps: { stateHashHex: string; dbAfter: { keyHex: string; valueHex: string }[] }[] } =>
      JSON.parse(json),
    ).steps
    const { ledger, store } = await newLedger({ numBuckets: 26, maxGroupingAtEachLevel: 3 })
    const chaincode = firstChaincode(steps[0]?.dbAfter ?? [])
    const delta = (changes: [string, string | undefined, string | undefined][]) => {
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
    const applied: [Uint8Array, boolean][] = [
      [forward1, false],
      [forward2, false],
      [forward2, true],
    ]
    for (const [step, [bytes, rollBackwards]] of applied.entries()) {
      const change = await ledger.applyStateDelta(bytes, { rollBackwards })
      await change.commit(0n)
      expect(hex(ledger.stateHash())).toBe(steps[step]?.stateHashHex)
      expect(store.hexRows('state-0')).toEqual(steps[step]?.dbAfter.map(({ keyHex, valueHex }) => ({ keyHex, valueHex })))
    }
  })

  it('scans ranges in the order of buckets', async () => {
    interface Scan {
      readonly queries: { chaincodeID: string; startKey: string; endKey: string; resultInOrder: { key: string; valueHex: string }[] }[]
    }
    const { ledger } = await newLedger({ numBuckets: 26, maxGroupingAtEachLevel: 3 })
    const ops = ['chaincodeID4', 'chaincodeID5'].flatMap((chaincode) =>
      Array.from('abcdefghijkl', (letter, i) => ({
        chaincodeIDHex: Buffer.from(chaincode).toString('hex'),
        keyHex: Buffer.from(`key${letter}`).toString('hex'),
        op: 'put',
        valueHex: Buffer.from([i]).toString('hex'),
      })),
    )
    await commitOperations(ledger, 'tx', ops)
    for (const { chaincodeID, startKey, endKey, resultInOrder } of vector('buckettree_range_scan.json', (json): Scan => JSON.parse(json)).queries) {
      const found = await collect(ledger.committed.range(text(chaincodeID), text(startKey), text(endKey)))
      expect(found.map(({ key, value }) => ({ key: Buffer.from(key).toString(), valueHex: hex(value) }))).toEqual(resultInOrder)
    }
  })
})

/** The chaincode id of the first key-value row. */
function firstChaincode(rows: readonly { keyHex: string }[]): Uint8Array {
  const row = unhex(rows.find(({ keyHex }) => !keyHex.startsWith('00'))?.keyHex ?? '')
  const composite = row.subarray(1 + (row[0] ?? 0))
  return composite.subarray(0, composite.indexOf(0))
}
