import { tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import { runPeer } from '../../kernel/cli/run-peer.js'

it('consensus set refuses an option that is named twice, in whatever case, before it asks anybody', async () => {
  const { stderr, exit } = await runPeer(tmpdir(), ['consensus', 'set', 'batchSize=10', 'batchsize=20'])
  expect(stderr).toContain('Error: expected each option once; found batchsize twice\n')
  expect(exit).toBe(1)
})
