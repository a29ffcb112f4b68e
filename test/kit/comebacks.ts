import { LivenessViolation } from './failures.js'
import type { FailedSeed } from './campaign.js'
import { planComeback } from './plan-comebacks.js'
import { type PlayedEngine, playScenario } from './play.js'
import type { Scenario } from './scenario.js'

/** How long it may take, compared with networks in which nobody was away, and for what has to be said again first. Time-outs that end a leader's turn are longer. */
const TIMES = 3
const GRACE_MS = 1000

/** What is played. */
export interface ComebackChecks {
  readonly engine: PlayedEngine
  readonly members: number
  readonly firstSeed: number
  readonly seeds: number
}

/**
 * Who was away takes part again: when it is needed in every quorum, the network orders as quickly as one in which nobody was away, but for a leader that died. The bound is
 * `TIMES` the slowest of these networks, and a second, so it needs no knowledge of time-outs, and networks that lost a leader do not count on either side. Returns what fails.
 */
export async function playComebacks({ engine, members, firstSeed, seeds }: ComebackChecks): Promise<FailedSeed[]> {
  const tolerates = engine.factory.tolerates(members)
  const plans = Array.from({ length: seeds }, (_, index) => planComeback({ seed: firstSeed + index, members, tolerates }))
  let slowestMs = 0
  for (const { controls } of plans) {
    const ms = (await playAll(engine, controls)).quickestMs
    if (Number.isFinite(ms)) slowestMs = Math.max(slowestMs, ms)
  }
  const boundMs = Math.round(TIMES * slowestMs + GRACE_MS)
  const failures: FailedSeed[] = []
  for (const { scenarios } of plans) {
    const { quickestMs, scenario } = await playAll(engine, scenarios)
    if (quickestMs <= boundMs) continue
    const failure = new LivenessViolation(
      `expected that who was away takes part again: with ${tolerates.crashed} others gone everything is ordered within ${boundMs} ms, a second more than ${TIMES} times what it takes where nobody was away; ` +
        `whoever of them went, it took ${Number.isFinite(quickestMs) ? `${Math.round(quickestMs)} ms` : `more than ${scenario.patienceMs} ms, or failed`}`,
    )
    // So that it fails when it is played again.
    failures.push({ seed: scenario.seed, scenario: { ...scenario, patienceMs: boundMs }, failure })
  }
  return failures
}

/** The quickest of some networks, from the last death on; Infinity: all of them fail. */
async function playAll(engine: PlayedEngine, scenarios: readonly Scenario[]): Promise<{ readonly quickestMs: number; readonly scenario: Scenario }> {
  const [first] = scenarios
  if (!first) throw new RangeError('expected an engine that bears a crash')
  let best = { quickestMs: Number.POSITIVE_INFINITY, scenario: first }
  for (const scenario of scenarios) {
    const { failure, virtualMs } = await playScenario(engine, scenario)
    const ms = virtualMs - scenario.durationMs
    if (!failure && ms < best.quickestMs) best = { quickestMs: ms, scenario }
  }
  return best
}
