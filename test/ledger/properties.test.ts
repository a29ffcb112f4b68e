import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scanRange } from '../../plugins/ledger/bucket-tree/scan.js'
import { TreeShape } from '../../plugins/ledger/bucket-tree/shape.js'
import { StateDelta, type SyncableLedger, decodeDelta, encodeDelta } from '../../plugins/ledger/index.js'
import { binaryString, compareBytes } from '../../plugins/ledger/bytes.js'
import { collect, hex, newLedger, transactionOf } from './kit.js'

const SHAPES = [
  { numBuckets: 2, maxGroupingAtEachLevel: 2 },
  { numBuckets: 26, maxGroupingAtEachLevel: 3 },
  { numBuckets: 101, maxGroupingAtEachLevel: 10 },
  { numBuckets: 1_000_003, maxGroupingAtEachLevel: 5 },
]

const chaincodes = fc.constantFrom('cc', 'cc2', 'c', '\xff').map((name) => Buffer.from(name, 'latin1'))
const keys = fc.uint8Array({ minLength: 1, maxLength: 2 }).map((bytes) => Buffer.from(bytes.map((byte) => byte % 5)))
const values = fc.option(
  fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
  { nil: undefined },
)
const change = fc.record({ chaincode: chaincodes, key: keys, value: values })
const transaction = fc.record({ changes: fc.array(change, { maxLength: 8 }), succeeds: fc.boolean() })
const batches = fc.array(fc.array(transaction, { maxLength: 4 }), { minLength: 1, maxLength: 6 })

type Change = { chaincode: Buffer; key: Buffer; value: Buffer | undefined }
type Batch = readonly { changes: readonly Change[]; succeeds: boolean }[]

/** Chaincode and key to value, as binary strings: the simplest world state. */
type Model = Map<string, Map<string, Buffer>>

function apply(model: Model, { chaincode, key, value }: Change): void {
  const name = binaryString(chaincode)
  const group = model.get(name) ?? new Map<string, Buffer>()
  model.set(name, group)
  if (value) group.set(binaryString(key), value)
  else group.delete(binaryString(key))
}

const copyOf = (model: Model): Model => new Map(Array.from(model, ([name, group]) => [name, new Map(group)]))

/** Runs a batch on ledger and model; between transactions every key reads the same from both. */
async function run(ledger: SyncableLedger, model: Model, batch: Batch, id: string): Promise<Model> {
  const open = ledger.openBatch()
  let state = model
  for (const [i, { changes, succeeds }] of batch.entries()) {
    const transactionState = open.begin(`${id}-${i}`)
    const next = copyOf(state)
    for (const each of changes) {
      if (each.value) transactionState.put(each.chaincode, each.key, each.value)
      else transactionState.delete(each.chaincode, each.key)
      apply(next, each)
      expect(hex(transactionState.get(each.chaincode, each.key))).toBe(hex(each.value))
    }
    transactionState.finish(succeeds)
    if (succeeds) state = next
  }
  const executed = batch.map(({ succeeds }, i) => ({
    bytes: transactionOf(`${id}-${i}`),
    result: { txid: `${id}-${i}`, ...(succeeds ? {} : { error: 'no' }) },
  }))
  await open.commit(executed, undefined)
  return state
}

describe('the world state', () => {
  for (const shape of SHAPES) {
    it(`of ${shape.numBuckets} buckets has the hash of its key-values, whatever happened before`, async () => {
      const property = fc.asyncProperty(batches, fc.constantFrom(0, 1), async (sequence, cacheMiB) => {
        const { ledger } = await newLedger({ ...shape, bucketCacheSizeMiB: cacheMiB })
        let model: Model = new Map()
        for (const [i, batch] of sequence.entries()) model = await run(ledger, model, batch, `batch-${i}`)
        const { ledger: fresh } = await newLedger(shape)
        const all = [...model].flatMap(([name, group]) =>
          Array.from(group, ([key, value]) => ({ chaincode: Buffer.from(name, 'latin1'), key: Buffer.from(key, 'latin1'), value })),
        )
        await run(fresh, new Map(), [{ changes: all, succeeds: true }], 'all')
        expect(hex(ledger.stateHash())).toBe(hex(fresh.stateHash()))
        expect((await ledger.verify()).faults).toEqual([])
      })
      await fc.assert(property, { numRuns: 25 })
    })
  }

  it('scans own writes, then the batch, then the store in bucket order, each key once', async () => {
    const shape = new TreeShape(26, 3)
    const bound = fc.oneof(fc.constant(Buffer.alloc(0)), keys)
    const layers = fc.tuple(fc.array(change, { maxLength: 12 }), fc.array(change, { maxLength: 8 }), fc.array(change, { maxLength: 6 }))
    const property = fc.asyncProperty(layers, chaincodes, bound, bound, async ([stored, batched, own], chaincode, start, end) => {
      const { ledger } = await newLedger({ numBuckets: 26, maxGroupingAtEachLevel: 3 })
      const committed = await run(ledger, new Map(), [{ changes: stored, succeeds: true }], 'stored')
      const open = ledger.openBatch()
      const write = (id: string, changes: readonly Change[]) => {
        const state = open.begin(id)
        for (const each of changes) {
          if (each.value) state.put(each.chaincode, each.key, each.value)
          else state.delete(each.chaincode, each.key)
        }
        return state
      }
      write('batched', batched).finish(true)
      const state = write('own', own)
      const found = await collect(state.range(chaincode, start, end))

      const inRange = (key: Buffer) => compareBytes(key, start) >= 0 && (end.length === 0 || compareBytes(key, end) <= 0)
      const mine = (changes: readonly Change[]) => changes.filter(({ chaincode: of, key }) => of.equals(chaincode) && inRange(key))
      const last = (changes: readonly Change[]) => new Map(mine(changes).map(({ key, value }) => [binaryString(key), value]))
      const seen = new Set<string>()
      const expected: string[] = []
      const show = (entries: Iterable<[string, Buffer | undefined]>) => {
        for (const [key, value] of entries) if (!seen.has(key) && value) expected.push(`${hex(Buffer.from(key, 'latin1'))}=${hex(value)}`)
        for (const [key] of entries) seen.add(key)
      }
      const byKey = (entries: Map<string, Buffer | undefined>) => [...entries].sort(([a], [b]) => (a < b ? -1 : 1))
      show(byKey(last(own)))
      show(byKey(last(batched)))
      const inStore = [...(committed.get(binaryString(chaincode)) ?? [])].filter(([key]) => inRange(Buffer.from(key, 'latin1')))
      const bucketOf = (key: string) => shape.bucketOf(chaincode, Buffer.from(key, 'latin1'))
      show(inStore.sort(([a], [b]) => bucketOf(a) - bucketOf(b) || (a < b ? -1 : 1)))
      expect(found.map(({ key, value }) => `${hex(key)}=${hex(value)}`)).toEqual(expected)
    })
    await fc.assert(property, { numRuns: 100 })
  })

  it('scans more keys than are sorted in memory in the same order', async () => {
    const settings = { numBuckets: 26, maxGroupingAtEachLevel: 3 }
    const { ledger, store } = await newLedger(settings)
    const cc = Buffer.from('cc')
    const changes = Array.from({ length: 60 }, (_, i) => ({ chaincode: i % 3 ? cc : Buffer.from('other'), key: Buffer.from(`k${i}`), value: Buffer.from([i]) }))
    await run(ledger, new Map(), [{ changes, succeeds: true }], 'all')
    const namespaces = { state: store.namespace('state-0'), keys: store.namespace('state-keys-0') }
    const scan = (start: string, end: string, keyLimit: number) =>
      collect(
        scanRange(new TreeShape(26, 3), namespaces, { chaincode: cc, startKey: Buffer.from(start), endKey: Buffer.from(end) }, store.snapshot(), {
          keys: keyLimit,
          bytes: 1e6,
        }),
      )
    for (const [start, end] of [
      ['', ''],
      ['k2', 'k4'],
      ['k5', ''],
      ['', 'k3'],
      ['k4', 'k2'],
    ] as const) {
      expect(await scan(start, end, 0)).toEqual(await scan(start, end, 1000))
    }
    expect(await scan('', '', 5)).toHaveLength(40)
  })
})

describe('a state delta', () => {
  it('survives writing and reading', () => {
    const before = fc.record({ chaincode: chaincodes, key: keys, value: values, previous: values })
    fc.assert(
      fc.property(fc.array(before), (entries) => {
        const delta = new StateDelta()
        for (const { chaincode, key, value, previous } of entries) delta.set(chaincode, key, value, previous)
        const bytes = encodeDelta(delta)
        expect(hex(encodeDelta(decodeDelta(bytes)))).toBe(hex(bytes))
      }),
    )
  })

  it('is read or refused, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          decodeDelta(bytes)
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'ERR_LEDGER_DELTA' })
        }
      }),
    )
  })
})
