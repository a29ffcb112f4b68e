import { describe, expect, it } from 'vitest'
import { createStore } from '../../plugins/level/index.js'
import { SimDisk } from '../kit/sim-disk.js'
import { get, put } from './backends.js'

/** A disk whose writes complete when the test says so. */
async function slowDisk(sync: 'all' | 'blocks' | 'off' = 'all') {
  const waiting: (() => void)[] = []
  let slow = false
  const disk = new SimDisk({ schedule: (complete) => (slow ? waiting.push(complete) : queueMicrotask(complete)) })
  const store = await createStore(disk.open(), { sync })
  slow = true
  const opened = disk.counts
  return {
    disk,
    store,
    /** Writes since the store was opened. */
    counts: () => ({ writes: disk.counts.writes - opened.writes, syncs: disk.counts.syncs - opened.syncs }),
    async completeOne() {
      await settle()
      waiting.shift()?.()
      await settle()
    },
    atDisk: async () => {
      await settle()
      return waiting.length
    },
  }
}

const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

/** Notes in `log` when a commit resolves. */
const noted = (log: string[], name: string, commit: Promise<void>): void => void commit.then(() => log.push(name))

describe('group commit', () => {
  it('writes what is committed in one turn together', async () => {
    const { store, counts, completeOne } = await slowDisk()
    const commits = [put(store, 'a', { k: '1' }), put(store, 'a', { k: '2' }), put(store, 'a', { k: '3' })]
    await completeOne()
    await Promise.all(commits)
    expect(counts()).toEqual({ writes: 1, syncs: 1 })
    expect(get(store, 'a', 'k')).toBe('3')
  })

  it('has one write in flight, and gathers what comes meanwhile', async () => {
    const { store, counts, completeOne, atDisk } = await slowDisk()
    const done: string[] = []
    noted(done, 'first', put(store, 'a', { k: '1' }))
    expect(await atDisk()).toBe(1)
    noted(done, 'second', put(store, 'a', { k: '2' }))
    await settle()
    noted(done, 'third', put(store, 'a', { k: '3' }))
    expect(await atDisk()).toBe(1)
    expect(done).toEqual([])
    await completeOne()
    expect(done).toEqual(['first'])
    expect(get(store, 'a', 'k')).toBe('1')
    await completeOne()
    expect(done).toEqual(['first', 'second', 'third'])
    expect(counts()).toEqual({ writes: 2, syncs: 2 })
    expect(get(store, 'a', 'k')).toBe('3')
  })

  it('syncs a group if one of its members has to be synced', async () => {
    const { store, counts, completeOne } = await slowDisk('blocks')
    const commits = [put(store, 'a', { k: '1' }, 'record'), put(store, 'a', { k: '2' }, 'block'), put(store, 'a', { k: '3' }, 'record')]
    await completeOne()
    await Promise.all(commits)
    expect(counts()).toEqual({ writes: 1, syncs: 1 })
  })

  it.each([
    { sync: 'all', block: 1, record: 1 },
    { sync: 'blocks', block: 1, record: 0 },
    { sync: 'off', block: 0, record: 0 },
  ] as const)('under store.sync $sync syncs $block of 1 blocks and $record of 1 records', async ({ sync, block, record }) => {
    for (const [kind, syncs] of [
      ['block', block],
      ['record', record],
    ] as const) {
      const { store, counts, completeOne } = await slowDisk(sync)
      const commit = put(store, 'a', { k: 'v' }, kind)
      await completeOne()
      await commit
      expect(counts()).toEqual({ writes: 1, syncs })
    }
  })

  it('does not write for an empty batch', async () => {
    const { store, counts } = await slowDisk()
    await store.commit(store.batch(), 'block')
    expect(counts()).toEqual({ writes: 0, syncs: 0 })
  })
})
