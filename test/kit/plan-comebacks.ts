import type { MemberIndex } from '../../plugins/consensus/index.js'
import type { Fault } from './faults.js'
import type { PlanOptions } from './plan.js'
import { createRandom, type Random } from './random.js'
import type { Scenario, ScenarioRequest } from './scenario.js'

/** A network in which somebody was away, and what it is measured by. */
export interface Comeback {
  /** Each with others of which as many die as the engine bears, none in two of them; so in most of them no leader dies. */
  readonly scenarios: readonly Scenario[]
  /** The same, but nobody was away. */
  readonly controls: readonly Scenario[]
}

/** Ways to go without losing the disk. */
const HOW = ['stop', 'kill', 'power'] as const
const HOW_OR_WIPED = [...HOW, 'wipe', 'wipe', 'wipe'] as const
/** Longer than the time-outs of engines under test: what is not over then waits for somebody to do something. */
const QUIET_MS = 15_000
const AWAY_MS = 6000
/** Requests while it is away: enough for several checkpoints of small windows, or hardly any. */
const MISSED = [1, 4, 30] as const
const LIGHT_LOAD_MS = 400
const LIGHT_LOAD = 10
/** The others are gone that long before the last requests come, and links have noticed. */
const GONE_MS = 200

/**
 * Somebody comes back, perhaps without its disk, to a network that is idle or nearly so, in a first or in a later view; when all is quiet so many others die that no quorum is without it.
 * One fault at a time. Who lost its disk has forgotten its votes, which engines that bear no lie need not bear: there nobody does. Where somebody does, the others order something
 * meanwhile, so that one who led is missed.
 */
export function planComeback({ seed, members, tolerates, patienceMs = 60_000 }: Pick<PlanOptions, 'seed' | 'members' | 'tolerates' | 'patienceMs'>): Comeback {
  const random = createRandom(seed).fork('comebacks')
  const before = changedLeaders(members, random)
  const member = random.below(members)
  const how = random.pick(tolerates.byzantine > 0 ? HOW_OR_WIPED : HOW)
  const fromMs = before.endMs + QUIET_MS
  const backMs = fromMs + AWAY_MS
  const missed = requestsAt(how === 'wipe' || random.chance(0.75) ? random.pick(MISSED) : 0, fromMs, AWAY_MS / 2, 'missed', () =>
    another(member, members, random),
  )
  const isIdle = random.chance(0.5)
  const load = isIdle ? [] : requestsAt(LIGHT_LOAD, backMs, LIGHT_LOAD * LIGHT_LOAD_MS, 'light', () => another(member, members, random))
  const endMs = backMs + QUIET_MS + (isIdle ? 0 : LIGHT_LOAD * LIGHT_LOAD_MS)
  const scenario = (faults: readonly Fault[]): Scenario => ({
    format: 'weft-scenario/1',
    seed,
    members,
    fidelity: 'logical',
    signatures: 'keyed-hash',
    delayMs: [1, 15],
    diskMs: [1, 5],
    requests: [...before.requests, ...missed, ...load],
    faults: [...before.faults, ...faults],
    durationMs: endMs + GONE_MS,
    patienceMs,
    expect: 'progress',
  })
  const away: Fault = { kind: how, atMs: fromMs, forMs: AWAY_MS, member }
  const gone = groupsOf(
    Array.from({ length: members - 1 }, (_, index) => (member + 1 + index) % members),
    tolerates.crashed,
  )
  const dead = gone.map((group) => group.map((other): Fault => ({ kind: 'dead', atMs: endMs, forMs: 0, member: other })))
  return { scenarios: dead.map((faults) => scenario([away, ...faults])), controls: dead.map((faults) => scenario(faults)) }
}

/** Nothing, or up to two leaders that are away under load, so that others lead. */
function changedLeaders(members: number, random: Random): { readonly faults: Fault[]; readonly requests: ScenarioRequest[]; readonly endMs: number } {
  const changes = Array.from({ length: random.below(3) }, (_, index) => index)
  const faults = changes.map((index): Fault => ({ kind: 'power', atMs: 100 + index * (AWAY_MS + QUIET_MS), forMs: AWAY_MS, member: index }))
  return {
    faults,
    requests: changes.flatMap((index) => requestsAt(2, 200 + index * (AWAY_MS + QUIET_MS), 500, `change ${index} `, () => another(index, members, random))),
    endMs: changes.length * (AWAY_MS + QUIET_MS),
  }
}

function requestsAt(count: number, atMs: number, forMs: number, name: string, member: () => MemberIndex): ScenarioRequest[] {
  return Array.from({ length: count }, (_, index) => ({ atMs: Math.round(atMs + (forMs * index) / count), member: member(), name: `${name}${index}` }))
}

function another(member: MemberIndex, members: number, random: Random): MemberIndex {
  return (member + 1 + random.below(members - 1)) % members
}

/** As many whole groups as there are. */
function groupsOf(from: readonly MemberIndex[], size: number): MemberIndex[][] {
  return Array.from({ length: Math.floor(from.length / size) }, (_, index) => from.slice(index * size, (index + 1) * size))
}
