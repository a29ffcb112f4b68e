import type { Fault } from './faults.js'
import type { Random } from './random.js'

/** An engine that swaps of a scenario may go to. */
export interface SwapTarget {
  readonly name: string
  readonly version?: string
}

export interface SwapsPlan {
  /** The first engine among them, if it may come back. */
  readonly engines: readonly SwapTarget[]
  readonly members: number
  readonly durationMs: number
  /** How many swaps operators ask for. */
  readonly count: number
}

/** A swap that has that much time is decided in a network that works. */
const DEADLINE_MS = 4000

/** Operators at work: swaps, some of them hopeless, cancelled, asked for twice or while another is under way, and validators that are not up to them. */
export function planSwaps({ engines, members, durationMs, count }: SwapsPlan, random: Random): Fault[] {
  const faults: Fault[] = []
  const partMs = durationMs / count
  const at = (ms: number): { readonly atMs: number; readonly forMs: number } => ({ atMs: Math.round(Math.min(durationMs, ms) * 10) / 10, forMs: 0 })
  const somebody = (): number => random.below(members)
  for (let number = 0; number < count; number += 1) {
    const atMs = number * partMs + random.between(0, partMs)
    const target = random.pick(engines)
    faults.push(swapOf(target, at(atMs), somebody(), random))
    if (random.chance(0.2)) faults.push({ kind: 'cancel', ...at(atMs + random.between(0, 600)), member: somebody() })
    if (random.chance(0.2)) faults.push({ kind: 'repropose', ...at(atMs + random.between(100, 3000)), member: somebody() })
    if (random.chance(0.3)) faults.push(swapOf(random.pick(engines), at(atMs + random.between(0, 800)), somebody(), random))
    if (random.chance(0.1)) {
      const lasting = { atMs: Math.max(0, Math.round(atMs - random.between(0, 500))), forMs: Math.round(random.between(500, 6000)) }
      faults.push({ kind: 'lacks', ...lasting, member: somebody(), engine: target.name, how: random.pick(['missing', 'other-code']) })
    }
  }
  return faults
}

function swapOf(target: SwapTarget, during: { readonly atMs: number; readonly forMs: number }, member: number, random: Random): Fault {
  const isOnlyOptions = random.chance(0.1)
  const isHopeless = random.chance(0.1)
  return {
    kind: 'swap',
    ...during,
    member,
    ...(isOnlyOptions ? {} : { engine: target.name, ...(target.version === undefined ? {} : { version: target.version }) }),
    deadlineMs: isHopeless ? Math.round(random.between(1, 100)) : DEADLINE_MS,
    ...(random.chance(0.05) ? { deadlineBlocks: 1 + random.below(3) } : {}),
    isForced: random.chance(0.3),
  }
}
