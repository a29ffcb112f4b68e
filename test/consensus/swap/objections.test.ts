import { describe, expect, it } from 'vitest'
import type { Note } from '../../../plugins/consensus/notes.js'
import { Objections } from '../../../plugins/consensus/swap/objections.js'

const CANDIDATE = new Uint8Array(32).fill(7)

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
