import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Level } from 'level'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openLevelStore } from '../../plugins/level/index.js'
import { bytes, get, put, rows, temporaryDirectory } from './backends.js'

const FORMAT_KEY = Buffer.from('\0format', 'latin1')

describe('opening what is in a directory', () => {
  let directory: string
  beforeEach(() => {
    directory = temporaryDirectory()
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  async function raw<T>(use: (db: Level<Uint8Array, Uint8Array>) => Promise<T>): Promise<T> {
    const db = new Level<Uint8Array, Uint8Array>(directory, { keyEncoding: 'view', valueEncoding: 'view' })
    await db.open()
    const result = await use(db)
    await db.close()
    return result
  }

  it('writes the format and the program into a new store', async () => {
    await (await openLevelStore(directory, { writtenBy: 'weft 1.2.3' })).close()
    const record = await raw((db) => db.get(FORMAT_KEY))
    expect(JSON.parse(Buffer.from(record ?? []).toString())).toEqual({ format: 1, writtenBy: 'weft 1.2.3' })
  })

  it('refuses a store of a newer format, names both and who wrote it, and leaves it as it is', async () => {
    const record = bytes(JSON.stringify({ format: 2, writtenBy: 'weft 9.0.0' }))
    await raw((db) => db.put(FORMAT_KEY, record))
    await expect(openLevelStore(directory, { writtenBy: 'weft 0.1.0' })).rejects.toMatchObject({
      code: 'ERR_STORE_FORMAT',
      message: 'expected a store of format 1 (weft 0.1.0), found format 2, written by weft 9.0.0',
      hint: 'run weft 9.0.0 or a later version on this directory',
    })
    expect(await raw((db) => rows(db.iterator()))).toEqual([`\0format=${Buffer.from(record).toString()}`])
  })

  it('refuses a database that Weft has not written', async () => {
    await raw((db) => db.put(bytes('somebody'), bytes('else')))
    await expect(openLevelStore(directory)).rejects.toMatchObject({ code: 'ERR_STORE_FORMAT', message: expect.stringContaining('without one') })
  })

  it.each(['not json', '{"format":"1"}', 'null', ''])('calls a format record %j damaged', async (record) => {
    await raw((db) => db.put(FORMAT_KEY, bytes(record)))
    await expect(openLevelStore(directory)).rejects.toMatchObject({ code: 'ERR_STORE_CORRUPT' })
  })

  it.each(['', '0', '-1', '1.5', 'x', '1'])('calls a table of namespaces damaged in which a second one has the number %j', async (number) => {
    const store = await openLevelStore(directory)
    await put(store, 'first', { k: 'v' })
    await store.close()
    await raw((db) => db.put(bytes('\0namespace/second'), bytes(number)))
    await expect(openLevelStore(directory)).rejects.toMatchObject({ code: 'ERR_STORE_CORRUPT', message: expect.stringContaining('second') })
  })

  it('refuses a directory without CURRENT, in which LevelDB would begin anew and delete what is there', async () => {
    const store = await openLevelStore(directory)
    await put(store, 'first', { k: 'v' })
    await store.close()
    rmSync(join(directory, 'CURRENT'))
    const before = readdirSync(directory)
    await expect(openLevelStore(directory)).rejects.toMatchObject({
      code: 'ERR_STORE_CORRUPT',
      message: expect.stringContaining('the file CURRENT is missing'),
    })
    expect(readdirSync(directory)).toEqual(before)
  })

  it('begins anew where a first start was killed before there was anything', async () => {
    writeFileSync(join(directory, 'MANIFEST-000001'), '')
    await (await openLevelStore(directory)).close()
  })

  it('says that a directory whose files are damaged cannot be opened', async () => {
    const store = await openLevelStore(directory)
    await store.close()
    writeFileSync(join(directory, 'CURRENT'), 'no such manifest\n')
    await expect(openLevelStore(directory)).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_STORE_(OPEN|CORRUPT)$/),
      message: expect.stringContaining(directory),
    })
  })

  it('says that a table is damaged when it is read', async () => {
    const store = await openLevelStore(directory)
    await put(store, 'a', Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`k${n}`, 'v'.repeat(100)])))
    await store.close()
    await raw((db) => db.put(FORMAT_KEY, bytes(JSON.stringify({ format: 1, writtenBy: 'weft' }))))
    const tables = readdirSync(directory).filter((file) => file.endsWith('.ldb'))
    expect(tables.length).toBeGreaterThan(0)
    for (const file of tables) writeFileSync(join(directory, file), Buffer.alloc(5000, 0x41))
    const opened = openLevelStore(directory).then((damaged) => {
      try {
        return get(damaged, 'a', 'k1')
      } finally {
        void damaged.close()
      }
    })
    await expect(opened).rejects.toMatchObject({ code: 'ERR_STORE_CORRUPT', hint: expect.stringContaining('backup') })
  })
})
