import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openLevelStore } from '../../plugins/level/index.js'
import { type LedgerOptions, type SyncableLedger, createLedger } from '../../plugins/ledger/index.js'
import type { FakeStore } from './fake-store.js'
import { commitOperations, fixedClock, newLedger, text } from './kit.js'

const SMALL = { numBuckets: 26, maxGroupingAtEachLevel: 3 }
const BLOCKS = 9

const key = (number: bigint): string => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(number)
  return bytes.toString('latin1')
}

const reopen = (store: FakeStore, options: Partial<LedgerOptions> = {}): Promise<SyncableLedger> =>
  createLedger({ store: store.copy(), clock: fixedClock, settings: SMALL, genesis: true, ...options })

const put = (value: string) => ({ chaincodeIDHex: '6363', keyHex: '6b', op: 'put', valueHex: Buffer.from(value).toString('hex') })

/** A chain of genesis and nine blocks; every row that each commit changed can be taken back. */
async function chainOf(blocks = BLOCKS): Promise<{ ledger: SyncableLedger; store: FakeStore }> {
  const { ledger, store } = await newLedger(SMALL)
  for (let i = 1; i <= blocks; i += 1) await commitOperations(ledger, `t${i}`, [put(`${i}`)])
  return { ledger, store }
}

async function damaged(namespace: string, change: (rows: Map<string, Uint8Array>) => void): Promise<FakeStore> {
  const { store } = await chainOf()
  const copy = store.copy()
  change(copy.rows.get(namespace) ?? new Map<string, Uint8Array>())
  return copy
}

const flipped = (bytes: Uint8Array | undefined, at: number): Uint8Array => {
  const copy = Buffer.from(bytes ?? text('none'))
  copy[at < 0 ? copy.length + at : at] = (copy.at(at) ?? 0) ^ 1
  return copy
}

describe('a store that has lost or changed something since it was written', () => {
  it.each<[string, string, (rows: Map<string, Uint8Array>) => void, RegExp]>([
    ['its head block', 'blocks', (rows) => rows.delete(key(9n)), /block 9 is missing/],
    ['a block below the head', 'blocks', (rows) => rows.delete(key(5n)), /block 5 is missing below the height 10/],
    ['the genesis block', 'blocks', (rows) => rows.delete(key(0n)), /block 0 is missing/],
    ['a byte of its head block', 'blocks', (rows) => rows.set(key(9n), flipped(rows.get(key(9n)), 0)), /head block 9 cannot be read|is indexed as no block/],
    ['all of its head block but nothing', 'blocks', (rows) => rows.set(key(9n), new Uint8Array(0)), /block 9/],
    ['a byte of a block below', 'blocks', (rows) => rows.set(key(4n), flipped(rows.get(key(4n)), 10)), /block 5 does not name the hash of block 4/],
    ['its height', 'blocks', (rows) => rows.delete('blockCount'), /height is 0/],
    [
      'a later height',
      'blocks',
      (rows) => rows.set('blockCount', Buffer.from(key(9n), 'latin1')),
      /world state is that of block 9, but the height is 9|executed here/,
    ],
    [
      'the index row of the head',
      'indexes',
      (rows) => [...rows.keys()].filter((row) => row.startsWith('\x01')).forEach((row) => rows.delete(row)),
      /indexed as no block/,
    ],
    ['the root of the state', 'state-0', (rows) => rows.delete('\0\0\x01'), /stored world state has none/],
    ['which block its state is of', 'ledger-meta', (rows) => rows.delete('state-block'), /world state is that of no block/],
    ['a later state block', 'ledger-meta', (rows) => rows.set('state-block', Buffer.from(key(8n), 'latin1')), /world state is that of block 8/],
  ])('is refused: %s', async (_, namespace, change, message) => {
    const store = await damaged(namespace, change)
    await expect(reopen(store)).rejects.toMatchObject({
      code: 'ERR_LEDGER_CORRUPT',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(/peer ledger verify.*backup/),
    })
  })

  it('can be opened to list what is wrong, without a change to it', async () => {
    const store = await damaged('blocks', (rows) => {
      rows.delete(key(9n))
      rows.delete(key(5n))
    })
    const copy = store.copy()
    const ledger = await createLedger({ store: copy, clock: fixedClock, settings: SMALL, inspect: true })
    const { faults } = await ledger.verify()
    expect(faults.map(({ where, what }) => `${where} ${what}`)).toEqual(expect.arrayContaining(['block 9 missing', 'block 5 missing']))
    expect(copy.commits).toBe(0)
  })

  it('is opened if only old blocks are damaged: looking at all of them is what verify is for', async () => {
    const { ledger, store } = await newLedger(SMALL)
    for (let i = 1; i <= 1003; i += 1) await ledger.openBatch().commit([], undefined)
    const copy = store.copy()
    copy.rows.get('blocks')?.delete(key(2n))
    expect((await reopen(copy)).height()).toBe(1004n)
    copy.rows.get('blocks')?.delete(key(4n))
    await expect(reopen(copy)).rejects.toThrow(/block 4 is missing/)
  })
})

describe('a chain that is being filled by raw blocks', () => {
  const raw = (ledger: SyncableLedger, number: bigint): Uint8Array => ledger.blockBytes(number) ?? expect.fail(`no block ${number}`)

  it('has holes, also after a restart, until it is complete; from then on a hole is damage', async () => {
    const source = await chainOf()
    const { ledger, store } = await newLedger(SMALL)
    for (const number of [9n, 8n, 4n]) await ledger.putRawBlocks([{ number, bytes: raw(source.ledger, number) }])
    const again = await createLedger({ store, clock: fixedClock, settings: SMALL, genesis: true })
    expect([again.height(), again.blockBytes(5n), again.stateBlock()]).toEqual([10n, undefined, 0n])
    for (const number of [7n, 6n, 5n, 3n, 2n, 1n]) await again.putRawBlocks([{ number, bytes: raw(source.ledger, number) }])
    expect(await again.verifyChain(9n, 0n)).toBe(0n)
    expect((await reopen(store)).height()).toBe(10n)
    for (let number = 1n; number < 10n; number += 1n) await (await again.applyStateDelta(source.ledger.stateDelta(number) ?? expect.fail())).commit(number)
    expect(await again.verifyChain(9n, 0n)).toBe(0n)
    await commitOperations(again, 't10', [put('10')])
    expect((await reopen(store)).height()).toBe(11n)
    store.rows.get('blocks')?.delete(key(5n))
    await expect(reopen(store)).rejects.toThrow(/block 5 is missing/)
  })

  it('holds to what it has executed itself since', async () => {
    const source = await chainOf()
    const { ledger, store } = await newLedger(SMALL)
    await ledger.putRawBlocks([{ number: 9n, bytes: raw(source.ledger, 9n) }])
    const state = await ledger.replaceState()
    for (let number = 0n; number < 10n; number += 1n) await state.add(source.ledger.stateDelta(number) ?? expect.fail())
    await state.activate(9n)
    await commitOperations(ledger, 't10', [put('10')])
    await commitOperations(ledger, 't11', [put('11')])
    expect((await reopen(store)).height()).toBe(12n)
    store.rows.get('blocks')?.delete(key(10n))
    await expect(reopen(store)).rejects.toThrow(/block 10 is missing/)
  })

  it('may have lost its state on purpose', async () => {
    const { ledger, store } = await chainOf()
    await ledger.deleteAllState()
    expect((await reopen(store)).stateBlock()).toBeUndefined()
  })
})

describe('what kill -9 left on a real disk', () => {
  /** A copy of the directory of a store that was never closed, and its log. */
  async function killed(): Promise<{ open: () => Promise<bigint>; log: string }> {
    const parent = mkdtempSync(join(tmpdir(), 'weft-damage-'))
    onTestFinished(() => rmSync(parent, { recursive: true, force: true }))
    const store = await openLevelStore(join(parent, 'running'))
    const ledger = await createLedger({ store, clock: fixedClock, settings: SMALL, genesis: true })
    for (let i = 1; i <= 40; i += 1) await commitOperations(ledger, `t${i}`, [put(`${i}`)])
    cpSync(join(parent, 'running'), join(parent, 'killed'), { recursive: true })
    await store.close()
    const directory = join(parent, 'killed')
    const open = async (): Promise<bigint> => {
      const found = await openLevelStore(directory)
      try {
        const again = await createLedger({ store: found, clock: fixedClock, settings: SMALL, genesis: true })
        expect((await again.verify()).faults).toEqual([])
        return again.height()
      } finally {
        await found.close()
      }
    }
    return { open, log: join(directory, readdirSync(directory).find((file) => file.endsWith('.log')) ?? expect.fail('no log')) }
  }

  it('is whole', async () => {
    expect(await (await killed()).open()).toBe(41n)
  })

  it('is refused if a byte before the last block has changed, wherever it is', async () => {
    const { open, log } = await killed()
    const sound = readFileSync(log)
    for (let at = 40; at < sound.length - 3000; at += Math.ceil(sound.length / 7)) {
      writeFileSync(log, flipped(sound, at))
      await expect(open(), `byte ${at} of ${sound.length}`).rejects.toMatchObject({ code: 'ERR_STORE_CORRUPT' })
    }
  })

  it('is a sound, shorter chain if the log is cut off: nothing in it tells of more', async () => {
    const { open, log } = await killed()
    truncateSync(log, Math.floor(readFileSync(log).length / 2))
    const height = await open()
    expect(height > 10n && height < 41n).toBe(true)
  })
})
