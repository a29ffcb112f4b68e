import { expect, test } from 'vitest'
import { planLines } from '../../../plugins/consensus/commands/plan-table.js'
import { SwapPlanMessage, SwapProposal } from '../../../proto/index.js'

const plan = SwapPlanMessage.fromPartial({ needed: 1, rows: [{ id: 'vp0', answered: true, engine: 'pbft', version: '1.0.0', height: 3n }] })
const linesOf = (options: string): string[] => planLines(plan, SwapProposal.fromPartial({ fromEpoch: 2n, engine: 'pbft', version: '1.0.0', options }))

test('a plan with few options has them in its heading', () => {
  expect(linesOf('{"K":10}')[0]).toBe('from epoch 2 to pbft 1.0.0 with options {"K":10}; needed: 1 of 1 validators, and every one that is up')
})

test('one with many has them below, none cut, in lines that fit a terminal', () => {
  const options = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`option.${index}`, `value ${index}`]))
  const lines = linesOf(JSON.stringify(options))
  expect(lines[0]).toBe('from epoch 2 to pbft 1.0.0; needed: 1 of 1 validators, and every one that is up')
  expect(lines[1]).toMatch(/^options "option\.0":"value 0" /)
  expect(lines.filter(({ length }) => length > 120)).toEqual([])
  for (const [name, value] of Object.entries(options)) expect(lines.join('\n')).toContain(`"${name}":"${value}"`)
})

test('who has other code, another version, or is in another epoch takes no part, as the refusal says', () => {
  const has = { answered: true, engine: 'raft', version: '1.0.0', codeDigest: 'ab', epoch: 2n }
  const rows = [
    has,
    { ...has, codeDigest: 'cd' },
    { ...has, version: '1.1.0' },
    { ...has, epoch: 1n },
    { ...has, refusal: 'no' },
    { ...has, halted: 'it threw' },
    { answered: false },
  ]
  const proposal = SwapProposal.fromPartial({ fromEpoch: 2n, engine: 'raft', version: '1.0.0', codeDigest: 'ab', options: '{}' })
  const lines = planLines(SwapPlanMessage.fromPartial({ needed: 3, rows: rows.map((row, index) => ({ id: `vp${index}`, ...row })) }), proposal)
  expect(lines.slice(2).map((line) => line.split('  ').at(-1)?.trim())).toEqual(['yes', 'no', 'no', 'no', 'no', 'not now: it orders nothing', 'no answer'])
})
