import { describe, expect, it } from 'vitest'
import { type CatalogEngine, Engines, ownEngine } from '../../../plugins/consensus/catalog.js'
import type { Note } from '../../../plugins/consensus/notes.js'
import { Objections } from '../../../plugins/consensus/swap/objections.js'
import { encode, HostNote } from '../../../proto/index.js'
import { VirtualTime } from '../../kit/virtual-clock.js'
import { transactionOf } from '../kit/fake-ledger.js'
import { createBench, engineOf, ManualTransport, run, settle } from '../kit/harness.js'

const CANDIDATE = new Uint8Array(32).fill(7)

describe('what a member answers in a pre-flight', () => {
  it('cannot command a terminal, nor fill it', async () => {
    const notes = new ManualTransport()
    const { host, time } = createBench(
      engineOf(() => ({})),
      { notes },
    )
    await host.start()
    const planning = host.swaps.plan({ engine: 'test' })
    await settle()
    const lie = '\u001b[2J all is well\nreally\u202e'
    const value = { token: 1n, engine: lie, version: lie, codeDigest: lie, refusal: lie.repeat(10_000), isolated: false, epoch: 0n, height: 0n, halted: lie }
    notes.message(1, encode(HostNote, { note: { $case: 'preflightAnswer', value } }))
    await run(time, 3000)
    const { rows } = await planning
    const text = [rows[1]?.answer?.engine, rows[1]?.answer?.version, rows[1]?.answer?.codeDigest, rows[1]?.answer?.refusal, rows[1]?.answer?.halted].join('')
    expect(text).not.toMatch(/\p{C}/u)
    expect(text.length).toBeLessThan(2000)
    expect(rows[1]?.answer?.engine).toBe('\ufffd[2J all is well\ufffdreally\ufffd')
  })
})

describe('a pre-flight', () => {
  it('knows what would change nothing', async () => {
    const notes = new ManualTransport()
    const factory = engineOf(() => ({}))
    const { host, time } = createBench(
      { ...factory, agreement: true },
      { notes, engine: { factory: { ...factory, agreement: true }, options: { a: 1, b: { c: [2] } } } },
    )
    await host.start()
    const isUnchanged = async (options: Record<string, unknown>): Promise<boolean> => {
      const planning = host.swaps.plan({ options })
      await run(time, 3000)
      return (await planning).isUnchanged
    }
    expect(await isUnchanged({ b: { c: [2] } })).toBe(true)
    expect(await isUnchanged({ a: 2 })).toBe(false)
  })

  it('tells of a validator whose engine is halted: it cannot say that it is ready', async () => {
    const notes = new ManualTransport()
    const { host, time } = createBench(
      engineOf((engine) => ({ onTimer: () => engine.halt('as it was told'), onRequest: () => engine.setTimer('halt', 1) })),
      { notes },
    )
    await host.start()
    const submitting = host.submit(transactionOf('t1'))
    await run(time, 100)
    await submitting
    expect(host.status().halted).toBe('as it was told')
    const planning = host.swaps.plan({ engine: 'test' })
    await run(time, 3000)
    expect((await planning).rows[0]?.answer?.halted).toBe('as it was told')
  })

  it('names whom it waits for: at first all, then those that are there', async () => {
    const notes = new ManualTransport()
    const { host, time } = createBench(
      engineOf(() => ({})),
      { notes },
    )
    await host.start()
    notes.peer(2, true)
    const awaited = (): readonly string[] => host.swaps.view().awaited.map(({ id }) => id)
    expect(awaited()).toEqual([])
    const planning = host.swaps.plan({ engine: 'test' })
    await run(time, 1000)
    expect(awaited()).toEqual(['vp1', 'vp2', 'vp3'])
    await run(time, 2000)
    expect(awaited()).toEqual(['vp2'])
    // What it was asked may be lost with its link.
    const questions = (): number => notes.sent.filter(({ to, text }) => to === 2 && text.includes('test')).length
    expect(questions()).toBe(1)
    notes.peer(2, false)
    notes.peer(2, true)
    expect(questions()).toBe(2)
    await run(time, 20_000)
    expect((await planning).rows.filter(({ answer }) => answer).map(({ member }) => member.id)).toEqual(['vp0'])
    expect(awaited()).toEqual([])
  })
})

describe('a question of a pre-flight', () => {
  it('that takes a process is answered once for all who ask it, and one of a member at a time, with a rest after it', async () => {
    const notes = new ManualTransport()
    const asked: unknown[] = []
    const engines = new Engines()
    const time = new VirtualTime()
    const slow: CatalogEngine = {
      ...ownEngine(
        engineOf(() => ({})),
        { origin: '', options: {} },
      ),
      name: 'slow',
      checkOptions: (options) => new Promise((resolve) => void (asked.push(options), time.schedule(500, () => resolve(options)))),
    }
    engines.addSource({ find: async (name) => (name === 'slow' ? slow : undefined), list: async () => [] })
    const { host } = createBench(
      engineOf(() => ({})),
      { notes, engines, time },
    )
    await host.start()
    const ask = (from: number, token: bigint, options: string): void =>
      notes.message(from, encode(HostNote, { note: { $case: 'preflightQuestion', value: { token, engine: 'slow', version: '', options } } }))
    for (const from of [1, 2, 3]) ask(from, 1n, '{}')
    await run(time, 600)
    expect(asked).toEqual([{}])
    expect(new Set(notes.sent.map(({ to }) => to))).toEqual(new Set([1, 2, 3]))
    for (let token = 2; token < 1000; token++) {
      ask(1, BigInt(token), `{"n":${token}}`)
      await run(time, 10)
    }
    expect(asked.length).toBeLessThanOrEqual(1 + 3)
    await run(time, 20_000)
    // Who waits is answered in the end.
    expect(asked.at(-1)).toEqual({ n: 999 })
  })
})

describe('why members take no part in a swap', () => {
  it('is told to the others, and known of each as it last said', () => {
    const told: Note[] = []
    const objections = new Objections(2, { tell: (note) => void told.push(note) })
    objections.say(CANDIDATE, "the handler of 'timer' returned a promise")
    objections.heard(0, { candidate: new Uint8Array(32), reason: 'an earlier one' })
    objections.heard(0, { candidate: CANDIDATE, reason: 'boom at onTimer (src/index.ts:42:7)' })
    expect(told).toEqual([{ $case: 'objection', value: { candidate: CANDIDATE, reason: "the handler of 'timer' returned a promise" } }])
    expect(objections.list()).toEqual([
      { member: 0, candidate: CANDIDATE, reason: 'boom at onTimer (src/index.ts:42:7)' },
      { member: 2, candidate: CANDIDATE, reason: "the handler of 'timer' returned a promise" },
    ])
  })

  it('is one bounded line, whatever a member says', () => {
    const objections = new Objections(0, { tell: () => undefined })
    objections.heard(1, { candidate: CANDIDATE, reason: `\u001b[2J\nfake line\u202e ${'x'.repeat(100_000)}` })
    objections.heard(3, { candidate: new Uint8Array(1_000_000), reason: 'of no candidate' })
    const [said, ...others] = objections.list()
    const reason = said?.reason ?? ''
    expect(others).toEqual([])
    expect(reason).toMatch(/^\ufffd\[2J\ufffdfake line\ufffd x+…$/)
    expect(reason.length).toBeLessThanOrEqual(500)
  })
})
