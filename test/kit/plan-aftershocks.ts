import type { MemberIndex } from '../../plugins/consensus/index.js'
import { byzantineOf, deadOf, type Fault, FAULT_CLASSES } from './faults.js'
import { createRandom, type Random } from './random.js'
import type { Scenario, ScenarioRequest } from './scenario.js'

/** How long one part of such a scenario lasts, about: engines have long and short time-outs. */
const PARTS_MS = [150, 500, 1500, 4000, 8000] as const
/** Requests come in bursts around the moments at which the cut moves: what is under way then is what gets lost. */
const BURST_MS = 60

/** A scenario of the same seed in which faults stack, as the comment of `AftershockPlanner` says; the one that is given if too few may fail for that. */
export function stackFaults(scenario: Scenario, crashed: number): Scenario {
  const { members, faults, seed } = scenario
  const most = Math.min(crashed, members - 2)
  if (most < 1) return scenario
  const random = createRandom(seed).fork('aftershocks')
  const planner = new AftershockPlanner(members, most, random)
  planner.plan(2 + random.below(4))
  // Liars and operators go on with what they do. Who dies for good beside them would be one too many: it comes back.
  const others = faults.filter((fault) => FAULT_CLASSES[fault.kind] !== 'inside')
  const hasRoom = byzantineOf(others).length + deadOf(planner.faults).length <= crashed
  const stacked = planner.faults.map((fault): Fault => (fault.kind === 'dead' && !hasRoom ? { ...fault, kind: 'power' } : fault))
  return {
    ...scenario,
    requests: planner.requests(scenario.requests),
    faults: [...stacked, ...others].sort((a, b) => a.atMs - b.atMs),
    durationMs: Math.max(others.length > 0 ? scenario.durationMs : 0, Math.round(planner.endMs)),
  }
}

/**
 * A cut that moves: as many members as may fail are cut off or down, and when they come back others go, so that whoever has just caught up is needed at once, by those
 * who have not. What was accepted by members that are cut off, or by one that is killed as soon as the links are back, meets what the others have ordered meanwhile.
 */
class AftershockPlanner {
  readonly faults: Fault[] = []
  #endMs = 0
  /** Who is cut off, and when the cut moves. */
  readonly #parts: { readonly fromMs: number; readonly untilMs: number; readonly cut: readonly MemberIndex[] }[] = []

  constructor(
    private readonly members: number,
    /** How many may be away at a time. */
    private readonly most: number,
    private readonly random: Random,
  ) {}

  get endMs(): number {
    return this.#endMs
  }

  plan(parts: number): void {
    const { random } = this
    const partMs = random.pick(PARTS_MS)
    const pauseMs = random.pick([2, 30, 200])
    let atMs = random.between(50, 400)
    let cut = this.#firstCut()
    for (let part = 0; part < parts; part += 1) {
      const forMs = partMs * random.between(0.5, 1.8)
      this.#cutOff(cut, atMs, forMs, part === parts - 1)
      this.#parts.push({ fromMs: atMs, untilMs: atMs + forMs, cut })
      atMs += forMs
      this.#endMs = atMs
      cut = this.#nextCut(cut)
      // Mostly some messages get through before the next blow, now and then none.
      atMs += random.chance(0.15) ? 0 : random.between(0, pauseMs)
      if (random.chance(0.1)) this.faults.push({ kind: 'blackout', ...during(atMs, random.between(1, 100)) })
    }
    if (random.chance(0.3))
      this.faults.push({ kind: 'slow-disk', ...during(0, this.#endMs), member: random.below(this.members), extraMs: round(random.between(20, 150)) })
  }

  /** The same requests, most of them close to a moment at which the cut moves, half of them at members that are cut off. */
  requests(planned: readonly ScenarioRequest[]): ScenarioRequest[] {
    const { random } = this
    const moved = planned.map((request): ScenarioRequest => {
      const part = random.pick(this.#parts)
      const isBurst = random.chance(0.5)
      const edgeMs = random.chance(0.5) ? part.fromMs : part.untilMs
      const atMs = isBurst ? edgeMs + random.between(-BURST_MS, BURST_MS) : random.between(part.fromMs, part.untilMs)
      return {
        ...request,
        atMs: round(Math.min(this.#endMs, Math.max(0, atMs))),
        ...(random.chance(0.5) && part.cut.length > 0 ? { member: random.pick(part.cut) } : {}),
      }
    })
    return moved.sort((a, b) => a.atMs - b.atMs)
  }

  /** Whoever leads first is likely to be among them. */
  #firstCut(): readonly MemberIndex[] {
    const all = Array.from({ length: this.members }, (_, index) => index)
    const cut = this.#some(all, this.#size())
    return cut.includes(0) || this.random.chance(0.4) ? cut : [0, ...cut.slice(1)]
  }

  /** None of those who have just come back, while there are others. */
  #nextCut(last: readonly MemberIndex[]): readonly MemberIndex[] {
    const all = Array.from({ length: this.members }, (_, index) => index)
    return this.#some(this.random.chance(0.8) ? all.filter((member) => !last.includes(member)) : all, this.#size())
  }

  #size(): number {
    return this.random.chance(0.75) ? this.most : 1 + this.random.below(this.most)
  }

  #cutOff(cut: readonly MemberIndex[], atMs: number, forMs: number, isLast: boolean): void {
    const { random } = this
    if (random.chance(0.55)) {
      const others = Array.from({ length: this.members }, (_, index) => index).filter((member) => !cut.includes(member))
      this.faults.push({ kind: 'partition', ...during(atMs, forMs), groups: [[...cut], others] })
      // One of the others dies a moment before or after the links are back.
      if (random.chance(0.3)) {
        const kind = random.pick(['power', 'kill'] as const)
        this.faults.push({ kind, ...during(atMs + forMs + random.between(-30, 60), random.between(10, forMs)), member: random.pick(others) })
      }
      return
    }
    const kind = random.pick(['power', 'kill', ...(isLast ? (['dead', 'dead'] as const) : [])] as const)
    for (const member of cut) this.faults.push({ kind, ...during(atMs + random.between(0, 20), forMs), member })
  }

  #some(from: readonly MemberIndex[], count: number): MemberIndex[] {
    const left = [...from]
    return Array.from({ length: Math.min(count, from.length) }, () => left.splice(this.random.below(left.length), 1)).flat()
  }
}

const during = (atMs: number, forMs: number): { readonly atMs: number; readonly forMs: number } => ({ atMs: round(Math.max(0, atMs)), forMs: round(forMs) })

const round = (ms: number): number => Math.round(ms * 10) / 10
