import { expect, test } from 'vitest'
import { statusText } from '../../../plugins/consensus/commands/status-text.js'
import { ConsensusReport, SwapProgress } from '../../../proto/index.js'

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
