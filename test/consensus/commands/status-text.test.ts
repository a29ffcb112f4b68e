import { expect, test } from 'vitest'
import { statusText } from '../../../plugins/consensus/commands/status-text.js'
import { ConsensusReport, SwapProgress } from '../../../proto/index.js'
import { isWell, membersText } from '../../../plugins/consensus/commands/all-members.js'
import { viewJson } from '../../../plugins/consensus/aids/report-view.js'

const report = ConsensusReport.fromPartial({ id: 'vp0', engine: 'pbft', version: '1.0.0', height: 7n, valid: true, members: [{ id: 'vp0', self: true }] })
const rows = (given: Partial<ConsensusReport>, name: string): string[] =>
  statusText({ ...report, ...given }, {}).filter((line) => line.startsWith(`  ${name} `))

test('a validator without a swap says nothing of one', () => {
  expect(rows({}, 'swap')).toEqual([])
})

test('one says what it does about a swap that is under way, and who is ready or gave up', () => {
  const swap = SwapProgress.fromPartial({ engine: 'raft', version: '1.1.0', phase: 'on trial', preparedIn: 5n, ready: ['vp2'], cancelled: ['vp1', 'vp3'] })
  expect(rows({ swap }, 'swap')).toEqual([expect.stringMatching(/ to raft 1\.1\.0, prepared in block 5; on trial here; ready: vp2; gave up: vp1, vp3$/)])
  const refused = SwapProgress.fromPartial({ engine: 'raft', version: '1.1.0', phase: 'refused', refusal: 'it threw', preparedIn: 5n })
  expect(rows({ swap: refused }, 'swap')).toEqual([expect.stringMatching(/block 5; refused here: it threw$/)])
})

test('one whose engine before is still needed says for what', () => {
  expect(rows({ sealing: true, epoch: 2n, activation: 6n }, 'swap')).toEqual([
    expect.stringMatching(/decided: the engine of epoch 1 still helps validators that lack block 6, its last one$/),
  ])
})

test('one with too few links does not say that it orders, says what to do, and is not well', () => {
  const stalled = 'it is connected to 1 of 3 other validators, and pbft relies on 2: no link to vp2, vp3'
  expect(statusText(report, {})[0]).toBe('vp0 orders transactions')
  expect(statusText({ ...report, stalled }, {})[0]).toBe(`vp0 may order nothing: ${stalled}`)
  expect(rows({ stalled }, 'what to do')).toEqual([expect.stringMatching(/start the validators that are missing.*peer network status/)])
  expect(rows({ stalled: '3 transactions wait here, and no block has come for 12 s' }, 'what to do')).toEqual([
    expect.stringMatching(/status --all .*restart-engine.*runbook/),
  ])
  expect(isWell({ answer: { report } })).toBe(true)
  expect(isWell({ answer: { report: { ...report, stalled } } })).toBe(false)
  const members = [{ id: 'vp0', address: undefined, answer: { report: { ...report, stalled } } }]
  expect(membersText(members)[1]).toMatch(/ stalled: it is connected to 1 of 3/)
})

test('what an engine says of itself moves no cursor, and is reported whatever it is', () => {
  const escape = '\u001b[2J\u001b]0;mine\u0007'
  const text = statusText({ ...report, halted: `it broke ${escape}` }, { view: escape, [`a${escape}`]: '1' }).join('\n')
  expect(text).not.toMatch(/[^\P{Cc}\n]/u)
  expect(text).toContain('it broke \ufffd[2J')
  const members = [{ id: 'vp0', address: undefined, answer: { report: { ...report, engineView: viewJson({ view: escape, leader: escape }) } } }]
  expect(membersText(members).join('\n')).not.toMatch(/[^\P{Cc}\n]/u)
})

test('a status that cannot be shown is named, and the rest of a report is there', () => {
  const round: Record<string, unknown> = {}
  round['self'] = round
  for (const view of [round, { big: 1n }, { text: 'x'.repeat(70_000) }])
    expect(JSON.parse(viewJson(view))).toEqual({ unshown: expect.stringMatching(/^its status /) })
  expect(viewJson({ view: 3 })).toBe('{"view":3}')
})
