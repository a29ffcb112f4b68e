import { mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { afterEach, describe, expect, it } from 'vitest'
import { openLevelStore } from '../../plugins/level/index.js'
import { damagedAt } from '../../plugins/level/write-log.js'
import { crc32c } from '../../plugins/level/crc32c.js'

const directories: string[] = []
afterEach(() => directories.splice(0).forEach((directory) => rmSync(directory, { recursive: true, force: true })))

/** What `kill -9` leaves after so many batches with values of so many bytes: everything is in the log. */
async function written(batches: number, valueBytes: number): Promise<{ directory: string; log: string; bytes: Buffer }> {
  const directory = mkdtempSync(join(tmpdir(), 'weft-log-'))
  directories.push(directory)
  const db = new Level<Uint8Array, Uint8Array>(directory, { keyEncoding: 'view', valueEncoding: 'view', writeBufferSize: 64 * 2 ** 20 })
  await db.open()
  for (let i = 0; i < batches; i += 1)
    await db
      .batch()
      .put(Buffer.from(`k${i}`), Buffer.alloc(valueBytes, i))
      .write({ sync: false })
  await db.close()
  const log = readdirSync(directory).find((file) => file.endsWith('.log')) ?? expect.fail('no log')
  return { directory, log: join(directory, log), bytes: readFileSync(join(directory, log)) }
}

describe('a write-ahead log', () => {
  it('is checked with the CRC of Castagnoli', () => {
    expect(crc32c(new DataView(Uint8Array.from(Buffer.from('123456789')).buffer), 0, 9)).toBe(0xe3069283)
  })

  it.each([
    [200, 10],
    [50, 1500],
    [4, 200_000],
    [2, 32_700],
    [700, 40],
  ])('of %i batches of %i bytes is sound as LevelDB wrote it, and cut off anywhere', async (batches, valueBytes) => {
    const { bytes } = await written(batches, valueBytes)
    expect(damagedAt(bytes)).toBeUndefined()
    for (let cut = 0; cut < bytes.length; cut += Math.ceil(bytes.length / 19)) expect(damagedAt(bytes.subarray(0, cut)), `cut at ${cut}`).toBeUndefined()
  })

  it.each([
    [200, 10, 211],
    [50, 1500, 211],
    [4, 200_000, 23],
  ])('of %i batches of %i bytes is damaged if any bit but those of the last batch has changed', async (batches, valueBytes, places) => {
    const { bytes } = await written(batches, valueBytes)
    const lastBatch = bytes.length - valueBytes - 200
    for (let at = 0; at < lastBatch; at += Math.ceil(lastBatch / places)) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 0x10
      // What fills a block up is not read.
      if ((at % 32_768) + 7 > 32_768) continue
      expect(damagedAt(changed), `byte ${at}`).toBeLessThanOrEqual(at)
    }
  })

  it('whose last batch was cut off or changed is one that a power cut left', async () => {
    const { bytes } = await written(20, 100)
    const changed = Buffer.from(bytes)
    changed[bytes.length - 5] = 0xff
    expect(damagedAt(changed)).toBeUndefined()
    expect(damagedAt(Buffer.concat([bytes, Buffer.alloc(5000)]))).toBeUndefined()
  })
})

describe('a store', () => {
  it('with a damaged log is refused and kept as it is', async () => {
    const { directory, log, bytes } = await written(20, 100)
    bytes[300] = (bytes[300] ?? 0) ^ 1
    writeFileSync(log, bytes)
    await expect(openLevelStore(directory)).rejects.toMatchObject({
      code: 'ERR_STORE_CORRUPT',
      message: expect.stringMatching(/record at byte \d+ of \d+\.log is damaged/),
    })
    expect(readFileSync(log)).toEqual(bytes)
  })

  it('whose log was removed is refused', async () => {
    const directory = join((await written(0, 0)).directory, 'db')
    await openAndWrite(directory, 'a')
    await openAndWrite(directory, 'b')
    for (const file of readdirSync(directory)) if (file.endsWith('.log')) rmSync(join(directory, file))
    await expect(openLevelStore(directory)).rejects.toMatchObject({ code: 'ERR_STORE_CORRUPT', message: expect.stringMatching(/write-ahead log is missing/) })
  })

  it('that was closed in order has nothing in its log that could be lost', async () => {
    const directory = join((await written(0, 0)).directory, 'db')
    await openAndWrite(directory, 'a')
    await openAndWrite(directory, 'b')
    const logs = readdirSync(directory).filter((file) => file.endsWith('.log'))
    expect(logs).toHaveLength(1)
    for (const file of logs) truncateSync(join(directory, file), 0)
    const store = await openLevelStore(directory)
    expect(['a', 'b'].map((key) => store.namespace('test').get(Buffer.from(key)) !== undefined)).toEqual([true, true])
    await store.close()
  })
})

async function openAndWrite(directory: string, key: string): Promise<void> {
  const store = await openLevelStore(directory)
  const batch = store.batch()
  batch.put(store.namespace('test'), Buffer.from(key), Buffer.alloc(10))
  await store.commit(batch, 'block')
  await store.close()
}
