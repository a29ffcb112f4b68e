import { describe, expect, it } from 'vitest'
import type { Note } from '../../../plugins/consensus/notes.js'
import { Objections } from '../../../plugins/consensus/swap/objections.js'
import { encode, HostNote } from '../../../proto/index.js'
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
    const value = { token: 1n, engine: lie, version: lie, codeDigest: lie, refusal: lie.repeat(10_000), isolated: false, epoch: 0n, height: 0n }
    notes.message(1, encode(HostNote, { note: { $case: 'preflightAnswer', value } }))
    await run(time, 3000)
    const { rows } = await planning
    const text = [rows[1]?.answer?.engine, rows[1]?.answer?.version, rows[1]?.answer?.codeDigest, rows[1]?.answer?.refusal].join('')
    expect(text).not.toMatch(/\p{C}/u)
    expect(text.length).toBeLessThan(2000)
    expect(rows[1]?.answer?.engine).toBe('[2J all is well really')
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
    expect(reason).toMatch(/^\[2J fake line x+$/)
    expect(reason.length).toBeLessThanOrEqual(500)
  })
})
