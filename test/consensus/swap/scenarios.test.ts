import { expect, it } from 'vitest'
import { pbft } from '../../../plugins/pbft/engine.js'
import { type PlayedEngine, playScenario, type Scenario } from '../../kit/index.js'
import { QUICK_PBFT } from './quick-pbft.js'

// Scenarios that broke something once, as small as they could be made.

const PBFT: PlayedEngine = { factory: pbft, options: QUICK_PBFT, successors: [] }

const PLAIN: Scenario = {
  format: 'weft-scenario/1',
  seed: 2147,
  members: 4,
  fidelity: 'host',
  signatures: 'keyed-hash',
  delayMs: [5, 5],
  diskMs: [1, 1],
  requests: [],
  faults: [],
  durationMs: 6595,
  patienceMs: 60_000,
  expect: 'progress',
}

it('a validator that was away while a request was rejected, twice, does not wait for it for ever, nor give up its primary', async () => {
  const { failure, swaps } = await playScenario(PBFT, {
    ...PLAIN,
    requests: [
      { atMs: 5486.5, member: 2, name: 'again0', fails: true },
      { atMs: 6355.1, member: 0, name: 'again0', fails: true },
      { atMs: 6593.3, member: 0, name: 'again0', fails: true },
    ],
    faults: [
      { kind: 'swap', atMs: 785.7, forMs: 0, member: 3, deadlineMs: 4000, isForced: true },
      { kind: 'stop', atMs: 1048.4, forMs: 4815.5, member: 2 },
      { kind: 'stop', atMs: 2498.7, forMs: 1318.8, member: 2 },
    ],
    toldRequests: 2,
  })
  expect(failure?.message).toBeUndefined()
  expect(swaps.happened).toBe(1)
})
