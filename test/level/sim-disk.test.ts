import { describe, expect, it } from 'vitest'
import { SimDisk } from '../kit/sim-disk.js'
import type { SimLevel } from '../kit/sim-disk-level.js'
import { bytes, rows } from './backends.js'

async function opened(disk: SimDisk): Promise<SimLevel> {
  const db = disk.open()
  await db.open()
  return db
}

/** What is on the disk, seen by a new process that goes away again. */
async function onDisk(disk: SimDisk): Promise<string> {
  const db = await opened(disk)
  const found = await rows(db.iterator())
  await db.close()
  return found.join()
}

/** The abstract interface does not know the flag, its implementations do. */
const writeOptions = (sync: boolean): object => ({ sync })

const write = (db: SimLevel, key: string, sync = false): Promise<void> => db.batch().put(bytes(key), bytes('')).write(writeOptions(sync))

const ALL = (): number => 0.999
const NONE = (): number => 0

describe('the simulated disk', () => {
  it('keeps everything that was written when the process is killed, and may lose it later with the power', async () => {
    const disk = new SimDisk()
    await write(await opened(disk), 'a')
    disk.killProcess(NONE)
    expect(await onDisk(disk)).toBe('a=')
    disk.powerCut(NONE)
    expect(await onDisk(disk)).toBe('')
  })

  it('keeps what a synced write took along', async () => {
    const disk = new SimDisk()
    const db = await opened(disk)
    await write(db, 'a')
    await write(db, 'b', true)
    await write(db, 'c')
    expect(disk.unsyncedWrites).toBe(1)
    disk.powerCut(NONE)
    expect(await onDisk(disk)).toBe('a=,b=')
  })

  it('loses a suffix of the unsynced writes, chosen by the draw', async () => {
    const left = []
    for (const draw of [0, 0.3, 0.6, 0.999]) {
      const disk = new SimDisk()
      const db = await opened(disk)
      for (const key of ['a', 'b', 'c']) await write(db, key)
      disk.powerCut(() => draw)
      left.push(await onDisk(disk))
    }
    expect(left).toEqual(['', 'a=', 'a=,b=', 'a=,b=,c='])
  })

  it('takes back overwritten and deleted values', async () => {
    const disk = new SimDisk()
    const db = await opened(disk)
    await db.batch().put(bytes('k'), bytes('1')).put(bytes('gone'), bytes('x')).write(writeOptions(true))
    await db.batch().put(bytes('k'), bytes('2')).put(bytes('k'), bytes('3')).del(bytes('gone')).put(bytes('new'), bytes('y')).write()
    await db.put(bytes('k'), bytes('4'))
    disk.powerCut(NONE)
    expect(await onDisk(disk)).toBe('gone=x,k=1')
  })

  it('may have a write in flight on the disk or not, and never answers it', async () => {
    const left = []
    for (const draw of [ALL, NONE]) {
      for (const cut of ['powerCut', 'killProcess'] as const) {
        const late: (() => void)[] = []
        const disk = new SimDisk({ schedule: (complete) => late.push(complete) })
        const db = await opened(disk)
        let answered = false
        void write(db, 'a', true).then(() => (answered = true))
        await Promise.resolve()
        disk[cut](draw)
        for (const complete of late) complete()
        await new Promise((resolve) => void setImmediate(resolve))
        expect(answered).toBe(false)
        left.push(await onDisk(disk))
      }
    }
    expect(left).toEqual(['a=', 'a=', '', ''])
  })

  it('ignores the writes of a dead process', async () => {
    const disk = new SimDisk()
    const dead = await opened(disk)
    disk.killProcess(ALL)
    const alive = await opened(disk)
    void write(dead, 'ghost')
    await write(alive, 'a')
    expect(await rows(alive.iterator())).toEqual(['a='])
  })

  it('is held by one process at a time', async () => {
    const disk = new SimDisk()
    const db = await opened(disk)
    await expect(disk.open().open()).rejects.toMatchObject({ cause: { code: 'LEVEL_LOCKED' } })
    await db.close()
    await (await opened(disk)).close()
  })

  it('completes writes in order, whatever the scheduler does', async () => {
    const waiting: (() => void)[] = []
    const disk = new SimDisk({ schedule: (complete) => waiting.unshift(complete) })
    const db = await opened(disk)
    const done: string[] = []
    void write(db, 'a').then(() => done.push('a'))
    void write(db, 'b').then(() => done.push('b'))
    await Promise.resolve()
    waiting[0]?.()
    await new Promise((resolve) => void setImmediate(resolve))
    expect(done).toEqual(['a'])
    expect(disk.counts).toEqual({ writes: 1, syncs: 0, changes: 1 })
  })

  it('applies nothing of a write for which there is no room, and goes on', async () => {
    const disk = new SimDisk()
    const db = await opened(disk)
    disk.failNextWrite('ENOSPC')
    await expect(write(db, 'a')).rejects.toMatchObject({ code: 'LEVEL_IO_ERROR' })
    await write(db, 'b')
    expect(await rows(db.iterator())).toEqual(['b='])
  })

  it('has batches, seeks, clears and many reads as LevelDB does', async () => {
    const db = await opened(new SimDisk())
    await db.batch([
      { type: 'put', key: bytes('a'), value: bytes('1') },
      { type: 'put', key: bytes('b'), value: bytes('2') },
      { type: 'put', key: bytes('c'), value: bytes('3') },
      { type: 'del', key: bytes('a') },
    ])
    expect(await db.hasMany([bytes('a'), bytes('b')])).toEqual([false, true])
    expect((await db.getMany([bytes('c'), bytes('a')])).map((value) => value && Buffer.from(value).toString())).toEqual(['3', undefined])
    const iterator = db.iterator()
    iterator.seek(bytes('bb'))
    expect((await iterator.next())?.[1]).toEqual(Uint8Array.from(bytes('3')))
    await iterator.close()
    await db.clear({ gt: bytes('b') })
    expect(await rows(db.iterator())).toEqual(['b=2'])
    expect(await db.get(bytes('b'))).toEqual(Uint8Array.from(bytes('2')))
    await db.del(bytes('b'))
    expect(await db.has(bytes('b'))).toBe(false)
  })
})
