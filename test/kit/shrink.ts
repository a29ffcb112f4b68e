import type { FailureKind } from './failures.js'
import { byzantineOf, deadOf, type Fault } from './faults.js'
import { type PlayedEngine, playScenario } from './play.js'
import type { Scenario } from './scenario.js'

/** How much is spent on a smaller scenario. */
export interface ShrinkOptions {
  /** Runs that may be spent. Default 400. */
  readonly maxRuns?: number
  /** Told after each run. */
  readonly progress?: (runs: number, smallest: Scenario) => void
}

/** A smaller scenario that fails in the same way. */
export interface Shrunk {
  readonly scenario: Scenario
  readonly runs: number
}

/** Makes a scenario smaller in one way; nothing if it does not apply. */
type Step = (scenario: Scenario) => Iterable<Scenario>

/**
 * Reduces a scenario that fails to a smaller one that fails in the same kind of way: fewer faults, members and requests, shorter, with steadier delays.
 * It stops when no single step can be left out, or after `maxRuns`.
 */
export async function shrinkScenario(engine: PlayedEngine, scenario: Scenario, kind: FailureKind, options: ShrinkOptions = {}): Promise<Shrunk> {
  const { maxRuns = 400, progress } = options
  let smallest = scenario
  let runs = 0
  const steps: readonly Step[] = [fewerFaults, shorter, fewerRequests, (from) => fewerMembers(from, engine), shorterFaults, plainer]
  const improve = async (): Promise<boolean> => {
    for (const step of steps) {
      for (const candidate of step(smallest)) {
        if (runs >= maxRuns) return false
        runs += 1
        const { failure } = await playScenario(engine, candidate)
        const isSmaller = failure?.kind === kind
        if (isSmaller) smallest = candidate
        progress?.(runs, smallest)
        if (isSmaller) return true
      }
    }
    return false
  }
  while (await improve());
  return { scenario: smallest, runs }
}

/** A list without a part of it: first large parts, then single elements. */
function* without<T>(list: readonly T[]): Iterable<T[]> {
  for (let size = Math.ceil(list.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < list.length; from += size) yield [...list.slice(0, from), ...list.slice(from + size)]
  }
}

function* fewerFaults(scenario: Scenario): Iterable<Scenario> {
  for (const faults of without(scenario.faults)) yield { ...scenario, faults }
}

function* fewerRequests(scenario: Scenario): Iterable<Scenario> {
  for (const requests of without(scenario.requests)) yield { ...scenario, requests }
}

function* shorter(scenario: Scenario): Iterable<Scenario> {
  const last = Math.max(0, ...scenario.faults.map(({ atMs, forMs }) => atMs + forMs), ...scenario.requests.map(({ atMs }) => atMs))
  for (const durationMs of [Math.round(scenario.durationMs / 2), Math.round(scenario.durationMs * 0.8), Math.ceil(last) + 1]) {
    if (durationMs >= scenario.durationMs || durationMs < 10) continue
    const isWithin = ({ atMs }: { readonly atMs: number }): boolean => atMs < durationMs
    yield { ...scenario, durationMs, faults: scenario.faults.filter(isWithin), requests: scenario.requests.filter(isWithin) }
  }
}

/** Without the last member, if the engine bears the faults that stay among those who stay. */
function* fewerMembers(scenario: Scenario, engine: PlayedEngine): Iterable<Scenario> {
  for (let members = Math.max(1, Math.ceil(scenario.members / 2)); members < scenario.members; members += 1) {
    const faults = scenario.faults.flatMap((fault) => restrict(fault, members))
    const { crashed, byzantine } = engine.factory.tolerates(members)
    const liars = byzantineOf(faults).length
    if (liars > byzantine || liars + deadOf(faults).length > crashed) continue
    yield { ...scenario, members, faults, requests: scenario.requests.map((request) => ({ ...request, member: request.member % members })) }
  }
}

/** A fault among the first members; nothing if it concerns others. */
function restrict(fault: Fault, members: number): Fault[] {
  const isThere = (member: number): boolean => member < members
  if (fault.kind === 'partition') return [{ ...fault, groups: fault.groups.map((group) => group.filter(isThere)).filter((group) => group.length > 0) }]
  if (fault.kind === 'twins') return isThere(fault.member) ? [{ ...fault, second: fault.second.filter(isThere) }] : []
  if (fault.kind === 'break') return fault.members.every(isThere) ? [fault] : []
  if (fault.kind === 'delay') return isThere(fault.from) && isThere(fault.to) ? [fault] : []
  return !('member' in fault) || isThere(fault.member) ? [fault] : []
}

function* shorterFaults(scenario: Scenario): Iterable<Scenario> {
  for (const [index, fault] of scenario.faults.entries()) {
    if (fault.forMs < 2 || fault.kind === 'dead') continue
    yield { ...scenario, faults: scenario.faults.with(index, { ...fault, forMs: Math.round(fault.forMs / 2) }) }
  }
}

/** Steady delays, the ledger in memory, hashes for signatures. */
function* plainer(scenario: Scenario): Iterable<Scenario> {
  if (scenario.fidelity === 'full') yield { ...scenario, fidelity: 'host' }
  if (scenario.signatures === 'p256') yield { ...scenario, signatures: 'keyed-hash' }
  if (scenario.delayMs[0] !== scenario.delayMs[1]) yield { ...scenario, delayMs: [5, 5] }
  if (scenario.diskMs[0] !== scenario.diskMs[1]) yield { ...scenario, diskMs: [1, 1] }
  if (scenario.requests.some(({ fails }) => fails)) yield { ...scenario, requests: scenario.requests.map(({ atMs, member, name }) => ({ atMs, member, name })) }
}
