import { EventEmitter } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { gzipped, readFile, readStream, writeFileWhole } from '../../plugins/ledger/archive/file.js'
import { importLedger } from '../../plugins/ledger/archive/import.js'
import { exportTo } from '../../plugins/ledger/archive/serve.js'
import { createLedger } from '../../plugins/ledger/index.js'
import { openLevelStore, storeDirectory } from '../../plugins/level/index.js'
import type { ExportReply } from '../../proto/index.js'
import { archiveOf, ledgerOf, pieces } from './archive-kit.js'
import { collect, fixedClock } from './kit.js'

const SMALL = { structure: 'buckettree', numBuckets: 26, maxGroupingAtEachLevel: 3 } as const
const directory = () => mkdtempSync(join(tmpdir(), 'weft-archive-'))
const bytesOf = async (source: AsyncIterable<Uint8Array>) => Buffer.concat(await collect(source))

describe('the file of an archive', () => {
  it('appears whole or not at all, and is not replaced unasked', async () => {
    const file = join(directory(), 'a')
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half')
      throw new Error('the peer has gone')
    }
    await expect(writeFileWhole(file, broken(), { replace: false })).rejects.toThrow('the peer has gone')
    expect(readdirSync(join(file, '..'))).toEqual([])
    await writeFileWhole(file, pieces(Buffer.from('whole')), { replace: false })
    await expect(writeFileWhole(file, pieces(Buffer.from('other')), { replace: false })).rejects.toMatchObject({ code: 'ERR_ARCHIVE_EXISTS' })
    await writeFileWhole(file, pieces(Buffer.from('other')), { replace: true })
    expect(readFileSync(file, 'utf8')).toBe('other')
    await expect(writeFileWhole('/nowhere/at/all', pieces(Buffer.from('x')), { replace: false })).rejects.toMatchObject({ code: 'ERR_ARCHIVE_FILE' })
    await expect(bytesOf(readFile('/nowhere/at/all'))).rejects.toMatchObject({ code: 'ERR_ARCHIVE_FILE' })
  })

  it('may be gzipped, with the same bytes each time, and a damaged one is an error', async () => {
    const { ledger } = await ledgerOf(SMALL, 20)
    const archive = await archiveOf(ledger)
    const packed = await bytesOf(gzipped(pieces(archive)))
    expect(await bytesOf(gzipped(pieces(archive, 77)))).toEqual(packed)
    expect(await bytesOf(readStream(pieces(packed, 1)))).toEqual(archive)
    expect(await bytesOf(readStream(pieces(gzipSync(archive), 500)))).toEqual(archive)
    expect(await bytesOf(readStream(pieces(archive, 13)))).toEqual(archive)
    await expect(bytesOf(readStream(pieces(packed.subarray(0, packed.length - 20))))).rejects.toMatchObject({
      code: 'ERR_ARCHIVE',
      message: expect.stringContaining('compression'),
    })
    const changed = Buffer.from(packed)
    changed[100] = (changed[100] ?? 0) ^ 255
    await expect(bytesOf(readStream(pieces(changed)))).rejects.toMatchObject({ code: 'ERR_ARCHIVE' })
    expect(await bytesOf(readStream(pieces(Buffer.alloc(0))))).toHaveLength(0)
  })

  it('may be bombs: what is read stops at the first thing that is wrong', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024))
    const { settings } = await ledgerOf(SMALL, 1)
    const path = directory()
    await expect(importLedger(path, readStream(pieces(bomb)), { settings })).rejects.toMatchObject({ code: 'ERR_ARCHIVE' })
    expect(readdirSync(path)).toEqual([])
  })
})

describe('an import into a directory', () => {
  it('builds a store that a peer opens, and only where there is none', async () => {
    const { ledger, settings } = await ledgerOf(SMALL, 20)
    const archive = await archiveOf(ledger)
    const path = join(directory(), 'new')
    mkdirSync(join(path, 'db'), { recursive: true })
    mkdirSync(join(path, 'db-import'))
    writeFileSync(join(path, 'db-import', 'left'), 'by a killed import')
    await importLedger(path, pieces(archive), { settings })
    expect(readdirSync(path)).toEqual(['db'])
    const store = await openLevelStore(storeDirectory(path))
    const opened = await createLedger({ store, clock: fixedClock, settings })
    expect(opened.info()).toEqual(ledger.info())
    expect((await opened.verify()).faults).toEqual([])
    await store.close()
    await expect(importLedger(path, pieces(archive), { settings })).rejects.toMatchObject({ code: 'ERR_LEDGER_NOT_EMPTY' })
  })

  it('leaves nothing if it fails, and one at a time works', async () => {
    const { ledger, settings } = await ledgerOf(SMALL, 20)
    const archive = await archiveOf(ledger)
    const path = directory()
    await expect(importLedger(path, pieces(archive.subarray(0, -1)), { settings })).rejects.toMatchObject({ code: 'ERR_ARCHIVE' })
    expect(readdirSync(path)).toEqual([])
    let go = () => {}
    const gate = new Promise<void>((resolve) => {
      go = resolve
    })
    async function* slowly(): AsyncGenerator<Uint8Array> {
      await gate
      yield archive
    }
    const first = importLedger(path, slowly(), { settings })
    await expect(importLedger(path, pieces(archive), { settings })).rejects.toMatchObject({ code: 'ERR_PEER_DIRECTORY_LOCKED' })
    go()
    await first
    expect(existsSync(join(path, 'db', 'CURRENT'))).toBe(true)
  })
})

describe('an export to a client', () => {
  class Client extends EventEmitter {
    cancelled = false
    readonly replies: ExportReply[] = []

    constructor(private readonly takes: (replies: number) => boolean) {
      super()
    }

    write(reply: ExportReply): boolean {
      this.replies.push(reply)
      return this.takes(this.replies.length)
    }
  }

  it('waits for the client, and ends when it has gone or takes nothing', async () => {
    const { ledger, store } = await ledgerOf(SMALL, 10)
    const patient = new Client(() => false)
    const done = exportTo(patient, ledger)
    const drain = setInterval(() => patient.emit('drain'), 1)
    await done
    clearInterval(drain)
    expect(Buffer.concat(patient.replies.map(({ bytes }) => bytes))).toEqual(await archiveOf(ledger))
    expect(patient.replies.at(-1)).toMatchObject({ blocks: 11n, height: 11n, keys: 12n })

    await expect(exportTo(new Client(() => false), ledger, 20)).rejects.toMatchObject({ code: 'ERR_LEDGER_STALLED' })
    const gone = new Client(() => false)
    const leaving = exportTo(gone, ledger)
    setTimeout(() => {
      gone.cancelled = true
      gone.emit('cancelled')
    }, 5)
    await expect(leaving).rejects.toMatchObject({ code: 'ERR_LEDGER_CANCELLED' })
    expect(store.snapshots.every(({ isReleased }) => isReleased)).toBe(true)
  })
})
