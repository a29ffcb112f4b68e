/** One origin may hold so many times what is free: alone four fifths of all, and of two that flood each four ninths. */
const TIMES_THE_FREE = 4

interface Held {
  requests: number
  bytes: number
}

/** What is free of a pool. */
export interface FreeRoom {
  readonly requests: number
  readonly bytes: number
}

/**
 * How much of a pool each origin holds, and whether it may hold more. The more is taken, the less one origin may have: who floods leaves room for whoever
 * comes next, and what was taken early goes back as it ends. Nobody is remembered who holds nothing.
 */
export class FairShares {
  private readonly origins = new Map<string, Held>()

  entered(origin: string, bytes: number): void {
    const held = this.origins.get(origin) ?? { requests: 0, bytes: 0 }
    held.requests++
    held.bytes += bytes
    this.origins.set(origin, held)
  }

  left(origin: string, bytes: number): void {
    const held = this.origins.get(origin)
    if (!held) return
    held.requests--
    held.bytes -= bytes
    if (held.requests === 0) this.origins.delete(origin)
  }

  /** How many requests of an origin wait. */
  of(origin: string): number {
    return this.origins.get(origin)?.requests ?? 0
  }

  /** Whether an origin may hold a further request of so many bytes, which fits into what is free. One that holds nothing may. */
  admits(origin: string, bytes: number, free: FreeRoom): boolean {
    const held = this.origins.get(origin)
    if (!held) return true
    return held.requests < TIMES_THE_FREE * free.requests && held.bytes + bytes <= TIMES_THE_FREE * (free.bytes - bytes)
  }
}
