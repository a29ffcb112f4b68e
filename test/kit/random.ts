/** Seeded pseudo-random numbers: the same seed gives the same sequence everywhere. Not for secrets. */
export interface Random {
  /** Uniform in [0, 1), 32 bits of it. */
  readonly next: () => number
  /** Uniform integer in [0, below); `below` >= 1. */
  below(below: number): number
  /** Uniform in [low, high). */
  between(low: number, high: number): number
  /** True with probability `probability`. */
  chance(probability: number): boolean
  /** One element; throws a RangeError for an empty list. */
  pick<T>(from: readonly T[]): T
  /** An independent sequence: what one part of a simulation draws must not shift what another part draws. */
  fork(name: string): Random
}

/** Starts a sequence; `seed` is any integer. */
export function createRandom(seed: number): Random {
  let state = mix(seed | 0)
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0
    return mix(state) / 0x1_0000_0000
  }
  return {
    next,
    below: (below) => Math.floor(next() * below),
    between: (low, high) => low + next() * (high - low),
    chance: (probability) => next() < probability,
    pick(from) {
      const value = from[Math.floor(next() * from.length)]
      if (value === undefined) throw new RangeError('expected a list with at least one element, found an empty one')
      return value
    },
    fork(name) {
      let derived = mix(seed ^ 0x5bf03635)
      for (let i = 0; i < name.length; i += 1) derived = mix(derived ^ name.charCodeAt(i)) + i
      return createRandom(derived)
    },
  }
}

/** Spreads every bit of a 32-bit integer over all of the result, 0..2^32-1. */
function mix(value: number): number {
  let z = value | 0
  z = Math.imul(z ^ (z >>> 16), 0x7feb352d)
  z = Math.imul(z ^ (z >>> 15), 0x846ca68b)
  return (z ^ (z >>> 16)) >>> 0
}
