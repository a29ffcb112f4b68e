import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RECORD } from '../../plugins/ledger/archive/records.js'
import { type LedgerSettings, createLedger } from '../../plugins/ledger/index.js'
import { type Forged, archiveOf, forge, imported, importInto, ledgerOf, pieces, put, recordsOf, stateRecord, withHeader } from './archive-kit.js'
import { FakeStore } from './fake-store.js'
import { collect, commitOperations, fixedClock, hex, text } from './kit.js'

const SMALL = { structure: 'buckettree', numBuckets: 26, maxGroupingAtEachLevel: 3 } as const
const STRUCTURES: readonly Partial<LedgerSettings>[] = [SMALL, { structure: 'trie' }, { structure: 'raw' }]

describe('an archive', () => {
  it.each(STRUCTURES)('of a ledger as $structure gives the same ledger, byte for byte', async (settings) => {
    const { ledger, store, settings: all } = await ledgerOf(settings, 30)
    const archive = await archiveOf(ledger)
    const { ledger: copy, store: copied, report } = await imported(archive, { settings: all, acceptUncovered: true })
    expect(report).toMatchObject({ height: 31n, keys: 32n })
    expect(hex(report.stateHash)).toBe(hex(ledger.stateHash()))
    expect(copy.info()).toEqual(ledger.info())
    expect((await copy.verify()).faults).toEqual([])
    for (const namespace of ['blocks', 'indexes', 'deploys', 'state-0', 'state-keys-0'])
      expect(copied.hexRows(namespace), namespace).toEqual(store.hexRows(namespace))
    expect(await archiveOf(copy)).toEqual(archive)
    // Both go on alike.
    for (const each of [ledger, copy]) await commitOperations(each, 'next', [put('cc1', 'k3', 'new'), put('zz', 'k', 'v')])
    expect(copy.info()).toEqual(ledger.info())
  })

  it('of an empty state is one of blocks alone', async () => {
    const { ledger, settings } = await ledgerOf(SMALL, 0)
    const { report } = await imported(await archiveOf(ledger), { settings })
    expect(report).toMatchObject({ height: 1n, keys: 0n, stateHash: undefined, uncovered: 0n })
  })

  it('is of one moment, whatever is committed while it is written', async () => {
    const { ledger } = await ledgerOf(SMALL, 40)
    const before = await archiveOf(ledger)
    const chunks: Uint8Array[] = []
    for await (const chunk of ledger.exportArchive(() => undefined)) {
      chunks.push(chunk)
      await commitOperations(ledger, `more-${chunks.length}`, [put('cc0', 'hot', 'changed')])
    }
    expect(Buffer.concat(chunks)).toEqual(before)
  })

  it('needs the whole chain and the state of its head', async () => {
    const { ledger, store } = await ledgerOf(SMALL)
    const holed = store.copy()
    holed.rows.get('blocks')?.delete('\0\0\0\0\0\0\0\x02')
    await expect(archiveOf(await createLedger({ store: holed, clock: fixedClock, settings: SMALL, inspect: true }))).rejects.toMatchObject({
      code: 'ERR_LEDGER_CORRUPT',
    })
    await ledger.putRawBlocks([{ number: 9n, bytes: ledger.blockBytes(4n) ?? expect.fail() }])
    await expect(archiveOf(ledger)).rejects.toMatchObject({ code: 'ERR_LEDGER_STATE_BEHIND' })
    const empty = await createLedger({ store: new FakeStore(), clock: fixedClock, settings: SMALL })
    await expect(archiveOf(empty)).rejects.toMatchObject({ code: 'ERR_LEDGER_EMPTY' })
  })

  it('releases its snapshot, also when the reader goes away', async () => {
    const { ledger, store } = await ledgerOf(SMALL)
    for await (const chunk of ledger.exportArchive()) if (chunk.length > 0) break
    await expect(
      collect(
        ledger.exportArchive(() => {
          throw new Error('enough')
        }),
      ),
    ).rejects.toThrow('enough')
    expect(store.snapshots.filter(({ isReleased }) => !isReleased)).toEqual([])
  })
})

describe('an archive from anybody', () => {
  const bad = (what: RegExp) => ({ code: 'ERR_ARCHIVE', message: expect.stringMatching(what) })

  it('is refused wherever a byte differs or is missing', async () => {
    const { ledger, settings } = await ledgerOf(SMALL)
    const archive = await archiveOf(ledger)
    const refused = async (bytes: Uint8Array) => {
      await expect(importInto(new FakeStore(), bytes, { settings })).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_ARCHIVE/) })
    }
    const flip = fc.asyncProperty(fc.nat(archive.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
      const changed = Buffer.from(archive)
      changed[at] = (changed[at] ?? 0) ^ mask
      await refused(changed)
    })
    await fc.assert(flip, { numRuns: 300 })
    await fc.assert(
      fc.asyncProperty(fc.nat(archive.length - 1), (length) => refused(archive.subarray(0, length))),
      { numRuns: 100 },
    )
    await refused(Buffer.concat([archive, Buffer.from([0])]))
    await refused(Buffer.concat([archive, archive]))
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), (bytes) => refused(bytes)),
      { numRuns: 100 },
    )
  })

  it('takes no memory for lengths that nothing follows', async () => {
    const { ledger, settings } = await ledgerOf(SMALL)
    const archive = await archiveOf(ledger)
    const header = archive.subarray(0, 8 + 5 + archive.readUInt32BE(9) + 4)
    const frame = (kind: number, length: number) => Buffer.from([kind, length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255])
    const reading = (bytes: Uint8Array) => importInto(new FakeStore(), Buffer.concat([header, bytes]), { settings })
    await expect(reading(frame(RECORD.block, 0xffffffff))).rejects.toMatchObject(bad(/announces 4294967295 bytes, at most 268435456/))
    const before = process.memoryUsage().arrayBuffers
    await expect(reading(frame(RECORD.block, 268_435_456))).rejects.toMatchObject(bad(/ends at byte \d+, inside the record/))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * 1024 * 1024)
    await expect(reading(frame(RECORD.end, 100_000))).rejects.toMatchObject(bad(/at most 65536/))
    await expect(importInto(new FakeStore(), archive, { settings }, 10)).rejects.toMatchObject(bad(/at most 10 are read \(--max-record\)/))
  })

  it('with right checksums and wrong contents is refused, and nothing of it is a ledger', async () => {
    const { ledger, settings } = await ledgerOf(SMALL)
    const records = await recordsOf(await archiveOf(ledger))
    const [header, ...others] = records
    const blocks = others.filter(({ kind }) => kind === RECORD.block)
    const state = others.find(({ kind }) => kind === RECORD.state)
    const other = await recordsOf(await archiveOf((await ledgerOf(SMALL, 4, () => 'dd')).ledger))
    if (!header || !state) throw new Error('the archive has no header or no state')
    const cases: readonly (readonly [string, readonly Forged[], RegExp, { blocks?: bigint; keys?: bigint }?])[] = [
      ['a block is missing', [header, ...blocks.slice(0, 2), ...blocks.slice(3), state], /block 2 names .* as the hash of the block before/],
      ['blocks in another order', [header, ...blocks.toReversed(), state], /block 0 names/],
      ['the newest block is missing', [header, ...blocks.slice(0, -1), state], /names 5 blocks, it has 4/],
      ['no state', [header, ...blocks], /counts 5 blocks and 6 keys; there are 5 and 0/],
      ['no state, and it says so', [header, ...blocks], /its state gives none/, { keys: 0n }],
      ['another state', [header, ...blocks, stateRecord(['cc0\0hot', '999'])], /block 4 has the state hash .*, its state gives/, { keys: 1n }],
      ['a key more', [...records, stateRecord(['cc0\0more', '1'])], /its state gives/, { keys: 7n }],
      ['a changed value', [...records, stateRecord(['cc0\0hot', '1'])], /its state gives/, { keys: 7n }],
      ['the state of another chain', [header, ...blocks, ...other.filter(({ kind }) => kind === RECORD.state)], /its state gives/, { keys: 5n }],
      ['the blocks of another chain', [header, ...other.slice(1)], /names .* as the hash of the newest block/, { keys: 5n }],
      ['too many blocks', [header, ...blocks, ...blocks, state], /more than the 5 blocks/],
      ['a block after the state', [...records, ...blocks], /block 5 comes after the state/],
      ['state before the blocks', [header, state, ...blocks], /names 5 blocks, it has 0/],
      ['two headers', [header, ...records], /two headers/],
      ['no header', records.slice(1), /first record is no header/],
      ['nothing at all', [], /no header/],
      ['a block that is none', [header, { kind: RECORD.block, payload: text('nonsense') }], /block 0 cannot be read/],
      ['a key without a chaincode', [header, ...blocks, stateRecord(['nokey', '1'])], /does not name a chaincode/],
      ['half a key', [header, ...blocks, { kind: RECORD.state, payload: Buffer.from([200, 1, 0]) }], /announces 200 bytes/],
      ['a record of an unknown kind', [header, { kind: 0x58, payload: text('?') }], /kind 0x58/],
      ['a higher height', withHeader(records, { height: 2n ** 62n }), /blocks, it has 5/],
      ['a lower height', withHeader(records, { height: 3n }), /more than the 3 blocks/],
      ['another head', withHeader(records, { head: Buffer.alloc(64, 1) }), /as the hash of the newest block/],
      ['a header that is no JSON', [{ kind: RECORD.header, payload: text('{') }], /header is not JSON/],
      ['a header of nothing', [{ kind: RECORD.header, payload: text('{}') }], /its header: format/],
      ['a header with more', [{ kind: RECORD.header, payload: text(Buffer.from(header.payload).toString().replace('{', '{"more":1,')) }], /Unrecognized key/],
      ['a height of words', [{ kind: RECORD.header, payload: text(Buffer.from(header.payload).toString().replace('"5"', '"1e3"')) }], /height/],
    ]
    for (const [what, forged, message, counts] of cases) {
      const store = new FakeStore()
      await expect(importInto(store, forge(forged, { blocks: 5n, keys: 6n, ...counts }), { settings }), what).rejects.toMatchObject(bad(message))
      expect(store.rows.get('ledger-meta')?.has('state-block') ?? false, what).toBe(false)
    }
    const newer = text(Buffer.from(header.payload).toString().replace('"version":1', '"version":2'))
    await expect(importInto(new FakeStore(), forge([{ kind: RECORD.header, payload: newer }], { blocks: 0n, keys: 0n }), { settings })).rejects.toMatchObject({
      code: 'ERR_ARCHIVE_VERSION',
    })
    const skippable = { kind: 'x'.charCodeAt(0), payload: text('of a later version') }
    expect((await imported(forge([header, skippable, ...others], { blocks: 5n, keys: 6n }), { settings })).ledger.height()).toBe(5n)
  })

  it('is refused if it is of another network', async () => {
    const { ledger, settings } = await ledgerOf(SMALL)
    const archive = await archiveOf(ledger)
    const settle = (changed: Partial<LedgerSettings>) => importInto(new FakeStore(), archive, { settings: { ...settings, ...changed } })
    await expect(settle({ numBuckets: 27 })).rejects.toMatchObject({
      code: 'ERR_ARCHIVE_SETTINGS',
      message: expect.stringMatching(/numBuckets 26.* asks for .*numBuckets 27/),
    })
    await expect(settle({ structure: 'trie' })).rejects.toMatchObject({ code: 'ERR_ARCHIVE_SETTINGS' })
    const head = ledger.info().currentBlockHash
    expect(hex((await imported(archive, { settings, expectedHead: head })).report.head)).toBe(hex(head))
    await expect(importInto(new FakeStore(), archive, { settings, expectedHead: Buffer.alloc(64) })).rejects.toMatchObject({ code: 'ERR_ARCHIVE_HEAD' })
  })

  it('needs an explicit word where the state hash does not vouch for every key', async () => {
    const raw = await ledgerOf({ structure: 'raw' })
    await expect(importInto(new FakeStore(), await archiveOf(raw.ledger), { settings: raw.settings })).rejects.toMatchObject({
      code: 'ERR_ARCHIVE_UNCOVERED',
      message: "the head's state hash does not vouch for 6 of the 6 keys of the archive",
    })
    // The last block touches the first byte of one chaincode: its root knows nothing of the other (spec/ledger.md §8).
    const trie = await ledgerOf({ structure: 'trie' }, 4, (block) => (block % 2 ? 'a' : 'b'))
    const archive = await archiveOf(trie.ledger)
    await expect(importInto(new FakeStore(), archive, { settings: trie.settings })).rejects.toMatchObject({
      message: expect.stringMatching(/vouch for 3 of the 6/),
    })
    const { ledger } = await imported(archive, { settings: trie.settings, acceptUncovered: true })
    expect(hex(ledger.stateHash())).toBe(hex(trie.ledger.stateHash()))
    const same = await ledgerOf({ structure: 'trie' }, 4, (block) => (block % 2 ? 'ca' : 'cb'))
    expect((await imported(await archiveOf(same.ledger), { settings: same.settings })).report.uncovered).toBe(0n)
  })

  it('does not smuggle in keys without a chaincode, which no bucket hashes', async () => {
    const { ledger, settings } = await ledgerOf(SMALL)
    const records = await recordsOf(await archiveOf(ledger))
    const archive = forge([...records, stateRecord(['\0smuggled', '1'])], { blocks: 5n, keys: 7n })
    await expect(importInto(new FakeStore(), archive, { settings })).rejects.toMatchObject({ code: 'ERR_ARCHIVE_UNCOVERED' })
  })

  it('does not make a trie of one endless key', async () => {
    const { ledger, settings } = await ledgerOf({ structure: 'trie' })
    const records = await recordsOf(await archiveOf(ledger))
    const archive = forge([...records, stateRecord([`cc\0${'x'.repeat(10_000)}`, '1'])], { blocks: 5n, keys: 7n })
    await expect(importInto(new FakeStore(), archive, { settings })).rejects.toMatchObject(bad(/at most 8192 fit a trie/))
  })

  it('may come in pieces of any length', async () => {
    const { ledger, settings } = await ledgerOf(SMALL)
    const archive = await archiveOf(ledger)
    expect(await collect(pieces(archive, 1))).toHaveLength(archive.length)
    expect((await imported(archive, { settings })).report.keys).toBe(6n)
  })
})
