import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { adviceOn } from '../../../plugins/consensus/commands/advice.js'

const headings = readFileSync(join(import.meta.dirname, '../../../docs/guides/runbook.md'), 'utf8').match(/(?<=^##+ ).*$/gm) ?? []

it.each([
  ["the engine threw in 'timer': it was told to", ['One engine', 'Too many engines']],
  ['the validators disagree about block 7: its hash is 4c96 at vp0; b295 at vp1', ['Validators that disagree']],
  ["this validator follows the others: this peer has no engine 'raft'", ['A validator that lacks the engine']],
  ['its operator has stopped its engine for a recovery', ['Too many engines']],
  ['the others recovered without this validator and began epoch 1 after block 41, but it has committed other blocks', ['A validator that is gone for good']],
])('%s: the runbook has what to do', (halted, sections) => {
  const named = [...adviceOn(halted).matchAll(/"([^"]+)"/g)].map(([, section]) => section)
  expect(named).toEqual(sections)
  expect(headings).toEqual(expect.arrayContaining(sections))
})

it('who is no validator is sent to one, and not into a runbook for broken engines', () => {
  expect(adviceOn('this peer is no validator (peer.validator.enabled is false)')).toMatch(/^ask a validator/)
})
