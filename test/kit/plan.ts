import type { MemberIndex } from '../../plugins/consensus/index.js'
import { ALL_KINDS, type Fault, type FaultKind } from './faults.js'
import { createRandom, type Random } from './random.js'
import { stackFaults } from './plan-aftershocks.js'
import { planSwaps, type SwapTarget } from './plan-swaps.js'
import type { Scenario, ScenarioRequest } from './scenario.js'

/** What a scenario is made of. */
export interface PlanOptions {
  readonly seed: number
  readonly members: number
  /** What the engine bears: no more members die or are Byzantine. */
  readonly tolerates: { readonly crashed: number; readonly byzantine: number }
  /** Kinds that may come up. Default: all. */
  readonly faults?: readonly FaultKind[]
  /**
   * The part of all seeds, from 0 (default) to 1, in which faults stack instead, within `tolerates.crashed`: a minority is cut off with requests that nobody else has,
   * and as it comes back others go, a leader perhaps, so that who has just caught up has to help the next.
   */
  readonly aftershocks?: number
  /** The part of these seeds, from 0 (default) to 1, in which chaincode is slow on some members all the while: what was chosen is in no block of theirs for long, and a new leader has to find it. */
  readonly slowAftershocks?: number
  /** Default 12. */
  readonly requests?: number
  /** Default: 1 s, and half a second more for each fault. */
  readonly durationMs?: number
  /** Default 60 s. */
  readonly patienceMs?: number
  /** Default `host`. */
  readonly fidelity?: Scenario['fidelity']
  readonly signatures?: Scenario['signatures']
  readonly expect?: Scenario['expect']
  readonly repetitions?: NonNullable<Scenario['repetitions']>
  /** Swaps that operators ask for, and the engines that they go to; `tolerates` holds for all of these. */
  readonly swaps?: { readonly engines: readonly SwapTarget[]; readonly count?: number }
  readonly hosts?: NonNullable<Scenario['hosts']>
}

/** Makes the scenario of a seed: some faults of the wanted kinds, within what the engine tolerates. The same options give the same scenario. */
export function planScenario(options: PlanOptions): Scenario {
  const { seed, aftershocks = 0, slowAftershocks = 0, tolerates } = options
  const scenario = planApart(options)
  if (!createRandom(seed).fork('stacked').chance(aftershocks)) return scenario
  const stacked = stackFaults(scenario, tolerates.crashed)
  if (stacked === scenario) return scenario
  const random = createRandom(seed).fork('slow aftershocks')
  return random.chance(slowAftershocks) ? { ...stacked, faults: [...slowChaincode(stacked, random), ...stacked.faults] } : stacked
}

function slowChaincode({ members, durationMs }: Scenario, random: Random): Fault[] {
  const slow = Array.from({ length: members }, (_, member) => member).filter(() => random.chance(0.5))
  return slow.map((member) => ({ kind: 'slow-execution', atMs: 0, forMs: durationMs, member, extraMs: SLOW_CHAINCODE_MS }))
}

/** With faults that know nothing of each other. */
function planApart(options: PlanOptions): Scenario {
  const { seed, members } = options
  const random = createRandom(seed).fork('plan')
  const kinds = chooseKinds(options, random)
  const swapsRandom = createRandom(seed).fork('swaps')
  const swaps = options.swaps ? (options.swaps.count ?? 1 + swapsRandom.below(4)) : 0
  const durationMs = Math.round(options.durationMs ?? 1000 + 500 * Math.min(4, kinds.length) + SWAP_MS * swaps)
  const planner = new FaultPlanner(options, random, durationMs)
  const faults = kinds.flatMap((kind) => planner.plan(kind))
  const delayMs = [1, random.pick([5, 15, 15, 40])] as const
  const diskMs = random.pick([
    [1, 5],
    [0.1, 1],
    [5, 40],
  ] as const)
  const requests = planRequests(options, random, durationMs, planner.focusMs)
  const isSwapping = options.swaps !== undefined && swaps > 0
  if (options.swaps && swaps > 0) {
    faults.push(...planSwaps({ engines: options.swaps.engines, members, durationMs, count: swaps }, swapsRandom))
    requests.push(...planStubborn(members, durationMs, swapsRandom))
  }
  return {
    format: 'weft-scenario/1',
    seed,
    members,
    fidelity: options.fidelity ?? 'host',
    signatures: options.signatures ?? 'keyed-hash',
    delayMs,
    diskMs,
    requests: requests.sort((a, b) => a.atMs - b.atMs),
    faults: faults.sort((a, b) => a.atMs - b.atMs),
    durationMs,
    patienceMs: options.patienceMs ?? 60_000,
    expect: options.expect ?? 'progress',
    ...(options.hosts === undefined ? {} : { hosts: options.hosts }),
    ...(options.repetitions === undefined ? {} : { repetitions: options.repetitions }),
    ...(isSwapping && swapsRandom.chance(0.5) ? { toldRequests: swapsRandom.below(6) } : {}),
  }
}

function planRequests({ requests = 12, members }: PlanOptions, random: Random, durationMs: number, focusMs: number): ScenarioRequest[] {
  const planned: ScenarioRequest[] = []
  const isBurst = random.chance(0.5) && requests < MANY
  const moment = (): number => (isBurst && random.chance(0.6) ? Math.min(durationMs, focusMs + random.between(0, CLOSE_MS)) : random.between(0, durationMs))
  for (let number = 0; number < requests; number += 1) {
    const fails = random.chance(0.05)
    const ask = (): ScenarioRequest => ({
      atMs: round(moment()),
      member: random.below(members),
      name: `t${number}`,
      ...(fails ? { fails } : {}),
    })
    planned.push(ask())
    // A client that got no answer asks again, perhaps somebody else.
    if (random.chance(0.2)) planned.push(ask())
  }
  return planned
}

/** Clients that ask for the same again and again, here and there, whatever they were told: what was executed in one epoch is asked for in the next. Most of it fails. */
function planStubborn(members: number, durationMs: number, random: Random): ScenarioRequest[] {
  return Array.from({ length: random.below(3) }, (_, number) => ({ name: `again${number}`, fails: random.chance(0.7) })).flatMap(({ name, fails }) =>
    Array.from({ length: 2 + random.below(5) }, () => ({
      atMs: round(random.between(0, durationMs)),
      member: random.below(members),
      name,
      ...(fails ? { fails } : {}),
    })),
  )
}

/** Mostly one to four kinds, sometimes a storm. */
function chooseKinds({ faults = ALL_KINDS, members }: PlanOptions, random: Random): FaultKind[] {
  const possible = faults.filter((kind) => members > 1 || !NEEDS_OTHERS.has(kind))
  if (possible.length === 0) return []
  const isStorm = random.chance(0.25)
  return Array.from({ length: 1 + random.below(isStorm ? 12 : 4) }, () => random.pick(possible))
}

const CLOSE_MS = 150
const SLOW_CHAINCODE_MS = 40
/** A scenario is so much longer with each swap. */
const SWAP_MS = 800
/** So often a liar offers old requests. */
const REPLAYS = 6
/** So many requests are spread, for long chains. */
const MANY = 50

const NEEDS_OTHERS = new Set<FaultKind>(['break', 'partition', 'delay', 'twins', 'mutate', 'loss', 'duplicate', 'reorder', 'dead', 'wipe', 'replay'])

const round = (ms: number): number => Math.round(ms * 10) / 10

class FaultPlanner {
  readonly #byzantine = new Set<MemberIndex>()
  readonly #dead = new Set<MemberIndex>()
  /** Around this moment much happens. */
  readonly focusMs: number

  constructor(
    private readonly options: PlanOptions,
    private readonly random: Random,
    private readonly durationMs: number,
  ) {
    this.focusMs = random.between(0, durationMs)
  }

  plan(kind: FaultKind): Fault[] {
    const { random } = this
    const during = this.#during()
    switch (kind) {
      case 'power':
        return this.#oneOrTwo(() => ({ kind, ...this.#during(), member: this.#any(), ...(random.chance(0.5) ? { afterWrites: 1 + random.below(6) } : {}) }))
      case 'kill':
      case 'stop':
      case 'restart-engine':
        return this.#oneOrTwo(() => ({ kind, ...this.#during(), member: this.#any() }))
      case 'dead':
        return this.#planDead()
      case 'blackout':
        return [{ kind, atMs: during.atMs, forMs: round(random.between(1, 200)) }]
      case 'break':
        return this.#oneOrTwo(() => ({ kind, ...this.#during(), members: this.#two() }))
      case 'partition':
        return [{ kind, ...during, groups: this.#groups() }]
      case 'delay': {
        const [from, to] = this.#two()
        return [{ kind, ...during, from, to, extraMs: round(random.between(20, 400)) }]
      }
      case 'slow-disk':
      case 'slow-execution':
        return [{ kind, ...during, member: this.#any(), extraMs: round(random.between(20, 300)) }]
      case 'failing-disk':
        return this.#oneOrTwo(() => ({ kind, ...this.#during(), member: this.#any(), error: random.pick(['ENOSPC', 'EIO']), afterWrites: random.below(6) }))
      case 'clock':
        return [{ kind, ...during, member: this.#any(), jumpMs: round(random.between(-100_000, 100_000)) }]
      case 'loss':
      case 'duplicate':
      case 'reorder':
        return [{ kind, ...during, chance: round(random.between(0.1, 0.5)) }]
      case 'twins':
      case 'mutate':
      case 'wipe':
      case 'replay':
        return this.#planByzantine(kind)
      case 'swap':
      case 'cancel':
      case 'repropose':
      case 'lacks':
        break
    }
    // Operators come with `swaps`.
    return []
  }

  #planDead(): Fault[] {
    const member = this.#any()
    if (this.#dead.size + this.#byzantine.size >= this.options.tolerates.crashed || this.#byzantine.has(member)) return []
    this.#dead.add(member)
    return [{ kind: 'dead', ...this.#during(), member }]
  }

  #planByzantine(kind: 'twins' | 'mutate' | 'wipe' | 'replay'): Fault[] {
    const { crashed, byzantine } = this.options.tolerates
    const { random } = this
    const hasRoom = this.#byzantine.size < byzantine && this.#byzantine.size + this.#dead.size < crashed
    const member = this.#byzantine.size > 0 && (!hasRoom || random.chance(0.3)) ? random.pick([...this.#byzantine]) : this.#any()
    if (!this.#byzantine.has(member) && (!hasRoom || this.#dead.has(member))) return []
    this.#byzantine.add(member)
    if (kind === 'wipe') return [{ kind, ...this.#during(), member }]
    if (kind === 'replay') return Array.from({ length: REPLAYS }, () => ({ kind, ...this.#during(), member, requests: 1 + random.below(6) }))
    if (kind === 'mutate') return [{ kind, atMs: 0, forMs: this.durationMs, member, chance: random.pick([0.1, 0.3, 0.6]) }]
    const others = Array.from({ length: this.options.members }, (_, index) => index).filter((index) => index !== member)
    const turns = 1 + random.below(3)
    const partMs = this.durationMs / turns
    return Array.from({ length: turns }, (_, turn) => ({
      kind,
      atMs: round(turn * partMs),
      forMs: round(partMs),
      member,
      second: others.filter(() => random.chance(0.5)),
    }))
  }

  #oneOrTwo(make: () => Fault): Fault[] {
    return this.random.chance(0.5) ? [make()] : [make(), make()]
  }

  /** Many faults are close together: what breaks engines is one thing while another goes on. Some are over in an instant. */
  #during(): { readonly atMs: number; readonly forMs: number } {
    const { random, durationMs } = this
    const isClose = random.chance(0.4)
    const atMs = isClose ? Math.min(durationMs - 1, Math.max(0, this.focusMs + random.between(-CLOSE_MS, CLOSE_MS))) : random.between(0, durationMs)
    const longestMs = Math.max(20, durationMs - atMs)
    const forMs = random.chance(0.3) ? Math.exp(random.between(0, Math.log(longestMs))) : random.between(10, longestMs)
    return { atMs: round(atMs), forMs: round(forMs) }
  }

  #any(): MemberIndex {
    return this.random.below(this.options.members)
  }

  #two(): readonly [MemberIndex, MemberIndex] {
    const first = this.#any()
    return [first, (first + 1 + this.random.below(this.options.members - 1)) % this.options.members]
  }

  /** Two groups, both with somebody in them; sometimes three. */
  #groups(): MemberIndex[][] {
    const groups: MemberIndex[][] = Array.from({ length: this.random.chance(0.2) ? 3 : 2 }, () => [])
    for (let member = 0; member < this.options.members; member += 1) this.random.pick(groups).push(member)
    return groups.filter((group) => group.length > 0)
  }
}
