import { describe, expect, it } from 'vitest'
import { type SyncableLedger, StateDelta, createLedger, encodeDelta } from '../../plugins/ledger/index.js'
import { createStore } from '../../plugins/level/index.js'
import { SimDisk } from '../kit/sim-disk.js'
import { commitOperations, fixedClock, hex, text } from './kit.js'

const SMALL = { numBuckets: 26, maxGroupingAtEachLevel: 3, deltaHistorySize: 2 }

const put = (chaincode: string, key: string, value: string) => ({
  chaincodeIDHex: Buffer.from(chaincode).toString('hex'),
  keyHex: Buffer.from(key).toString('hex'),
  op: 'put',
  valueHex: Buffer.from(value).toString('hex'),
})

/** Opens the real store on what is on the disk. */
async function openOn(disk: SimDisk): Promise<SyncableLedger> {
  return createLedger({ store: await createStore(disk.open(), { sync: 'all' }), clock: fixedClock, settings: SMALL, genesis: true })
}

/** Blocks, then a replacement of the whole state, then blocks again. */
async function work(ledger: SyncableLedger): Promise<void> {
  for (let i = 0; i < 3; i += 1) await commitOperations(ledger, `t${i}`, [put('cc', `k${i}`, `${i}`), put('cc', 'hot', `${i}`)])
  const replacement = await ledger.replaceState()
  const state = new StateDelta()
  for (const [key, value] of [
    ['k0', '0'],
    ['k1', '1'],
    ['k2', '2'],
    ['hot', '2'],
  ] as const)
    state.set(text('cc'), text(key), text(value), undefined)
  await replacement.add(encodeDelta(state))
  await replacement.activate(3n)
  await commitOperations(ledger, 't3', [put('cc', 'k3', '3'), put('cc', 'hot', '3')])
}

/** A disk on which the given write is cut off, by a power cut or a kill; the promise resolves when that has happened. */
function diskThatDies(atWrite: number, how: 'power' | 'kill', draw: number): { disk: SimDisk; died: Promise<void> } {
  let writes = 0
  let tell = () => {}
  const died = new Promise<void>((resolve) => {
    tell = resolve
  })
  const disk = new SimDisk({
    schedule: (complete) => {
      queueMicrotask(() => {
        writes += 1
        if (writes !== atWrite) return complete()
        if (how === 'power') disk.powerCut(() => draw)
        else disk.killProcess(() => draw)
        tell()
      })
    },
  })
  return { disk, died }
}

describe('a peer that dies during any write', () => {
  for (const how of ['power', 'kill'] as const) {
    it(`(${how}) starts again at a block boundary and goes on to the same blocks`, async () => {
      const whole = await openOn(new SimDisk())
      await work(whole)
      let survivedAll = false
      for (let atWrite = 1; !survivedAll; atWrite += 1) {
        for (const draw of [0, 0.999]) {
          const { disk, died } = diskThatDies(atWrite, how, draw)
          const finished = openOn(disk)
            .then(work)
            .then(() => true)
          survivedAll = await Promise.race([finished, died.then(() => false)])
          if (survivedAll) break
          const again = await openOn(disk)
          const head = again.height() - 1n
          expect(hex(again.blockBytes(head)), `write ${atWrite}`).toBe(hex(whole.blockBytes(head)))
          expect((await again.verify()).faults, `write ${atWrite}`).toEqual([])
          for (let i = Number(head); i < 4; i += 1) await commitOperations(again, `t${i}`, [put('cc', `k${i}`, `${i}`), put('cc', 'hot', `${i}`)])
          expect(hex(again.info().currentBlockHash), `write ${atWrite}`).toBe(hex(whole.info().currentBlockHash))
        }
      }
    })
  }
})
