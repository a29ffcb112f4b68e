import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type LedgerSettings, StateDelta, createLedger, encodeDelta } from '../../plugins/ledger/index.js'
import { TreeShape } from '../../plugins/ledger/bucket-tree/shape.js'
import { binaryString } from '../../plugins/ledger/bytes.js'
import { type Operation, collect, commitOperations, fixedClock, hex, newLedger, text } from './kit.js'

const STRUCTURES: readonly Partial<LedgerSettings>[] = [
  { structure: 'buckettree', numBuckets: 26, maxGroupingAtEachLevel: 3 },
  { structure: 'trie' },
  { structure: 'raw' },
]

const chaincode = fc.constantFrom('cc', 'cc2', 'd', 'c')
const key = fc.uint8Array({ minLength: 1, maxLength: 3 }).map((bytes) => Buffer.from(bytes.map((byte) => byte % 4)).toString('hex'))
const value = fc.option(fc.uint8Array({ maxLength: 2 }).map((bytes) => Buffer.from(bytes).toString('hex')))
const operation = fc.record({ chaincode, key, value }).map(
  ({ chaincode: name, key: keyHex, value: valueHex }): Operation => ({
    chaincodeIDHex: Buffer.from(name).toString('hex'),
    keyHex,
    op: valueHex === null ? 'delete' : 'put',
    valueHex,
  }),
)
const batches = fc.array(fc.array(operation, { minLength: 1, maxLength: 10 }), { minLength: 1, maxLength: 6 })

/** `chaincode 00 key`, in hex, to a value in hex: the simplest world state. */
type Model = Map<string, string>

function applied(model: Model, operations: readonly Operation[]): Model {
  const next = new Map(model)
  for (const { chaincodeIDHex, keyHex, op, valueHex } of operations) {
    if (op === 'put') next.set(`${chaincodeIDHex}00${keyHex}`, valueHex ?? '')
    else next.delete(`${chaincodeIDHex}00${keyHex}`)
  }
  return next
}

/** Sorted as their keys are: the space is below every digit. */
const pairs = (model: Model) => [...model].map(([composite, stored]) => `${composite} ${stored}`).sort()
const entriesOf = async (entries: AsyncIterable<readonly [Uint8Array, Uint8Array]>) =>
  (await collect(entries)).map(([composite, stored]) => `${hex(composite)} ${hex(stored)}`)

function ofChaincode(model: Model, name: string): string[] {
  const prefix = `${Buffer.from(name).toString('hex')}00`
  return pairs(model)
    .filter((pair) => pair.startsWith(prefix))
    .map((pair) => pair.slice(prefix.length))
}

/** From one model to the next, as the delta of a block would say it. */
function deltaBetween(before: Model, after: Model): Uint8Array {
  const delta = new StateDelta()
  const bytes = (digits: string | undefined) => (digits === undefined ? undefined : Buffer.from(digits, 'hex'))
  for (const composite of new Set([...before.keys(), ...after.keys()])) {
    if (before.get(composite) === after.get(composite)) continue
    const whole = Buffer.from(composite, 'hex')
    const at = whole.indexOf(0)
    delta.set(whole.subarray(0, at), whole.subarray(at + 1), bytes(after.get(composite)), bytes(before.get(composite)))
  }
  return encodeDelta(delta)
}

describe.each(STRUCTURES)('the world state as $structure', (settings) => {
  it('holds what a map would hold, whatever the operations are, also after a restart', async () => {
    const property = fc.asyncProperty(batches, async (sequence) => {
      const { ledger, store } = await newLedger(settings)
      let model: Model = new Map()
      for (const [index, operations] of sequence.entries()) {
        await commitOperations(ledger, `tx-${index}`, operations)
        model = applied(model, operations)
      }
      const again = await createLedger({ store: store.copy(), clock: fixedClock, settings })
      for (const opened of [ledger, again]) {
        const snapshot = opened.stateSnapshot()
        expect((await entriesOf(snapshot.entries)).sort()).toEqual(pairs(model))
        expect(snapshot.block).toBe(BigInt(sequence.length))
        await snapshot.release()
        const view = opened.stateView()
        for (const name of ['cc', 'cc2', 'd', 'c']) {
          const shown = ({ key: found, value: stored }: { key: Uint8Array; value: Uint8Array }) => `${hex(found)} ${hex(stored)}`
          expect((await collect(view.list(text(name), text(''), text('')))).map(shown)).toEqual(ofChaincode(model, name))
          const ranged = (await collect(opened.committed.range(text(name), text(''), text('')))).map(shown)
          expect(ranged.sort()).toEqual(ofChaincode(model, name))
        }
        await view.release()
        expect((await opened.verify()).faults).toEqual([])
        expect(hex(opened.stateHash())).toBe(hex(ledger.stateHash()))
      }
    })
    await fc.assert(property, { numRuns: 30 })
  })

  it('shows a snapshot as it was, and is iterated in a fixed order, while blocks are committed', async () => {
    const property = fc.asyncProperty(batches, batches, async (first, second) => {
      const { ledger } = await newLedger(settings)
      let model: Model = new Map()
      for (const [index, operations] of first.entries()) {
        await commitOperations(ledger, `a-${index}`, operations)
        model = applied(model, operations)
      }
      const snapshot = ledger.stateSnapshot()
      const iterator = snapshot.entries[Symbol.asyncIterator]()
      const seen: string[] = []
      for (let index = 0; ; index += 1) {
        const operations = second[index]
        if (operations) await commitOperations(ledger, `b-${index}`, operations)
        const next = await iterator.next()
        if (next.done) break
        seen.push(`${hex(next.value[0])} ${hex(next.value[1])}`)
      }
      await snapshot.release()
      const inOrder = pairs(model)
      const { structure, numBuckets = 0, maxGroupingAtEachLevel = 0 } = settings
      if (structure === 'buckettree') {
        const shape = new TreeShape(numBuckets, maxGroupingAtEachLevel)
        const bucketOf = (pair: string) => {
          const composite = Buffer.from(pair.slice(0, pair.indexOf(' ')), 'hex')
          const at = composite.indexOf(0)
          return shape.bucketOf(composite.subarray(0, at), composite.subarray(at + 1))
        }
        inOrder.sort((a, b) => bucketOf(a) - bucketOf(b) || (a < b ? -1 : 1))
      }
      expect(seen).toEqual(inOrder)
    })
    await fc.assert(property, { numRuns: 20 })
  })

  it('goes forward and back over deltas', async () => {
    const property = fc.asyncProperty(fc.array(operation, { maxLength: 10 }), fc.array(operation, { maxLength: 10 }), async (first, second) => {
      const { ledger } = await newLedger(settings)
      const before = applied(new Map(), first)
      const after = applied(before, second)
      const states: string[][] = []
      const step = async (delta: Uint8Array, rollBackwards: boolean) => {
        await (await ledger.applyStateDelta(delta, { rollBackwards })).commit(0n)
        const snapshot = ledger.stateSnapshot()
        states.push((await entriesOf(snapshot.entries)).sort())
        await snapshot.release()
      }
      await step(deltaBetween(new Map(), before), false)
      await step(deltaBetween(before, after), false)
      await step(deltaBetween(before, after), true)
      // What was deleted stays deleted on a trie (spec/ledger.md §8).
      const back = settings.structure === 'trie' ? new Map([...before].filter(([composite]) => after.has(composite))) : before
      expect(states).toEqual([pairs(before), pairs(after), pairs(back)])
    })
    await fc.assert(property, { numRuns: 30 })
  })

  it('reads a transaction and its batch over the store, and leaves nothing of a rolled back one', async () => {
    const { ledger } = await newLedger(settings)
    await commitOperations(ledger, 'tx', [{ chaincodeIDHex: '63', keyHex: '61', op: 'put', valueHex: '31' }])
    const hash = hex(ledger.stateHash())
    const batch = ledger.openBatch()
    const state = batch.begin('t')
    state.put(text('c'), text('a'), text('2'))
    state.put(text('c'), text('b'), text('3'))
    expect((await collect(state.range(text('c'), text(''), text('')))).map(({ key: found }) => binaryString(found))).toEqual(['a', 'b'])
    state.finish(true)
    batch.rollback()
    expect(hex(ledger.stateHash())).toBe(hash)
    expect(hex(ledger.committed.get(text('c'), text('a')))).toBe('31')
    expect(ledger.committed.get(text('c'), text('b'))).toBeUndefined()
  })

  it('cannot be opened as another structure', async () => {
    const { store } = await newLedger(settings)
    for (const other of [...STRUCTURES, { structure: 'buckettree', numBuckets: 27, maxGroupingAtEachLevel: 3 } as const]) {
      const opening = createLedger({ store: store.copy(), clock: fixedClock, settings: other })
      if (other === settings) await opening
      else
        await expect(opening).rejects.toMatchObject({
          code: 'ERR_LEDGER_SETTINGS_CHANGED',
          message: expect.stringMatching(new RegExp(`made with .*"${settings.structure}".* asks for .*"${other.structure}"`)),
        })
    }
  })
})

describe('raw', () => {
  it('has no state hash, and its blocks none', async () => {
    const { ledger, store } = await newLedger({ structure: 'raw' })
    await commitOperations(ledger, 'tx', [{ chaincodeIDHex: '63', keyHex: '61', op: 'put', valueHex: '31' }])
    expect(ledger.stateHash()).toBeUndefined()
    expect(ledger.block(1n)?.stateHash).toHaveLength(0)
    expect(store.hexRows('state-0')).toEqual([{ keyHex: '630061', valueHex: '31' }])
  })
})
