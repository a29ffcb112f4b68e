import { expect, it } from 'vitest'
import { pbft } from '../../plugins/pbft/index.js'
import { planScenario, playScenario, type Scenario } from '../kit/index.js'

const SLOW = 3
const REQUESTS = 1000
const APART_MS = 4

/** Four validators under a steady load; one of them takes three times as long for a block as the others. */
function scenarioOf(seed: number): Scenario {
  const calm = planScenario({ seed, members: 4, tolerates: pbft.tolerates(4), faults: [], requests: 0, fidelity: 'logical' })
  const requests = Array.from({ length: REQUESTS }, (_, number) => ({ atMs: number * APART_MS, member: number % 3, name: `t${number}` }))
  const durationMs = REQUESTS * APART_MS
  return {
    ...calm,
    delayMs: [0.5, 1],
    diskMs: [0.1, 0.5],
    requests,
    durationMs,
    faults: [{ kind: 'slow-execution', member: SLOW, extraMs: 15, atMs: 0, forMs: durationMs }],
  }
}

it('a validator that takes three times as long for a block as the others stays in the window: it transfers nothing', { timeout: 60_000 }, async () => {
  const { failure, trace, blocks } = await playScenario({ factory: pbft, options: {} }, scenarioOf(1), { trace: true })
  expect(failure).toBeUndefined()
  const moved = trace.events.filter(({ event }) => event.type === 'event' && event.at === SLOW && event.event.type === 'transferred')
  // The one at the start, to its own head.
  expect(moved).toHaveLength(1)
  // They had to go on for more than a window.
  expect(blocks).toBeGreaterThan(80)
})
