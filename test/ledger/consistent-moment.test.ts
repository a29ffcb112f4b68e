import { describe, expect, it } from 'vitest'
import type { StoreBatch } from '../../plugins/level/index.js'
import { FakeStore } from './fake-store.js'
import { collect, commitOperations, hex, newLedger } from './kit.js'

const SMALL = { numBuckets: 26, maxGroupingAtEachLevel: 3 }
const put = (value: string) => ({ chaincodeIDHex: '6363', keyHex: '6b', op: 'put', valueHex: Buffer.from(value).toString('hex') })

/** A store whose writes are on the disk a while before those who wait for them are told: what a thread of its own does now and then. */
class LateStore extends FakeStore {
  told: Promise<void> = Promise.resolve()

  override async commit(batch: StoreBatch): Promise<void> {
    await super.commit(batch)
    await this.told
  }
}

/** A ledger whose block 2 is on the disk, but whose commit has not returned. */
async function between() {
  const store = new LateStore()
  const { ledger } = await newLedger(SMALL, store)
  await commitOperations(ledger, 't1', [put('one')])
  let tell = (): void => undefined
  store.told = new Promise((resolve) => {
    tell = resolve
  })
  const committing = commitOperations(ledger, 't2', [put('two')])
  while (store.rows.get('blocks')?.size !== 4) await Promise.resolve()
  return { ledger, store, finish: () => (tell(), committing) }
}

describe('while a block is on the disk whose commit has not returned', () => {
  it('verify finds the ledger sound', async () => {
    const { ledger, finish } = await between()
    expect((await ledger.verify()).faults).toEqual([])
    await finish()
  })

  it('a snapshot of the state is that of the block that it names', async () => {
    const { ledger, finish } = await between()
    const snapshot = ledger.stateSnapshot()
    const entries = await collect(snapshot.entries)
    await snapshot.release()
    expect([snapshot.block, hex(entries[0]?.[1])]).toEqual([2n, Buffer.from('two').toString('hex')])
    await finish()
  })
})
