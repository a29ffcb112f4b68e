import { tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import { runPeer } from '../../kernel/cli/run-peer.js'

it('consensus set refuses an option that is named twice, in whatever case, before it asks anybody', async () => {
  const { stderr, exit } = await runPeer(tmpdir(), ['consensus', 'set', 'batchSize=10', 'batchsize=20'])
  expect(stderr).toContain('Error: expected each option once; found batchsize twice\n')
  expect(exit).toBe(1)
})

it.each([
  [['swap', 'raft', '--plan', 'swap.json'], "the engine 'raft'"],
  [['swap', '--plan', 'swap.json', '--dry-run'], '--dry-run'],
  [['swap', '--plan', 'swap.json', '--absent', 'vp3'], '--absent'],
])('%s: a file is carried out as it is, and what it cannot heed is refused before anything is done', async (words, idle) => {
  const { stderr, exit } = await runPeer(tmpdir(), ['consensus', ...words])
  expect(stderr).toContain(`Error: --plan carries out a proposal just as it was written; found ${idle} beside it\n`)
  expect(exit).toBe(1)
})

it.each(['3', '0s', '25h', '1000000h'])('a deadline of %s is refused before anybody is asked', async (deadline) => {
  const { stderr, exit } = await runPeer(tmpdir(), ['consensus', 'swap', 'raft', '--deadline', deadline])
  expect(stderr).toContain(`Error: --deadline: expected a duration with a unit, from 1ms to 24h, such as 30s; found '${deadline}'\n`)
  expect(exit).toBe(1)
})
