import type { Clock } from '../../kernel/index.js'

const FIRST_RETRY_MS = 100
/** A known address that fails for long is tried less often, a root node is not. */
const PATIENCE = 20
const SLOW_FACTOR = 10
const MAX_CANDIDATES = 256
const CANDIDATE_ATTEMPTS = 3

/** Where an address comes from: the site, an earlier connection, or another peer's list. */
export type AddressKind = 'root' | 'known' | 'candidate'

interface Target {
  readonly address: string
  kind: AddressKind
  failures: number
  reason: string
  /** `busy`: dialling or connected. */
  state: 'waiting' | 'busy'
  dueMs: number
}

export interface DialerOptions {
  readonly clock: Clock
  /** Whether an address is this peer's own. */
  readonly isSelf: (address: string) => boolean
  readonly maxPeriodMs: number
  readonly maxDials: number
  /** In [0, 1): spreads the attempts of peers that were started together. */
  readonly random: () => number
  /** Whether a peer that says it is reached there is connected. */
  readonly isConnected: (address: string) => boolean
  /** Opens a stream; `lost` or `connected` follow. */
  readonly dial: (address: string) => void
}

/** Keeps trying to reach addresses: quickly at first, then with growing pauses. Root nodes are tried for ever. */
export class Dialer {
  private readonly targets = new Map<string, Target>()
  private dialling = 0
  private cancel = (): void => undefined
  private isClosed = false

  constructor(private readonly options: DialerOptions) {}

  /** Adds an address; the first attempt comes after `delayMs`. Candidates beyond a bound, and this peer's own address, are left out. */
  add(address: string, kind: AddressKind, delayMs = 0): void {
    if (this.isClosed || this.options.isSelf(address)) return
    const target = this.targets.get(address)
    if (target !== undefined) {
      if (rank(kind) > rank(target.kind)) target.kind = kind
      return
    }
    if (kind === 'candidate' && this.candidates() >= MAX_CANDIDATES) return
    this.targets.set(address, { address, kind, failures: 0, reason: '', state: 'waiting', dueMs: this.options.clock.elapsedMs() + delayMs })
    this.run()
  }

  /** Leads to this peer itself, or to nothing that is wanted. */
  forget(address: string): void {
    this.targets.delete(address)
  }

  /** The attempt ended with a link. */
  connected(address: string): void {
    this.dialling = Math.max(0, this.dialling - 1)
    const target = this.targets.get(address)
    if (target !== undefined) target.failures = 0
    this.run()
  }

  /** The attempt failed (`wasLinked` false), or its link ended: tried again after a pause. */
  lost(address: string, reason: string, wasLinked: boolean): void {
    if (!wasLinked) this.dialling = Math.max(0, this.dialling - 1)
    const target = this.targets.get(address)
    if (target !== undefined) {
      target.state = 'waiting'
      target.reason = reason
      if (!wasLinked) target.failures++
      if (target.kind === 'candidate' && target.failures >= CANDIDATE_ATTEMPTS) this.targets.delete(address)
      else target.dueMs = this.options.clock.elapsedMs() + this.pauseMs(target)
    }
    this.run()
  }

  /** A neighbour that says it is reached there is gone. */
  missed(address: string): void {
    const target = this.targets.get(address)
    if (target?.state === 'waiting') target.dueMs = this.options.clock.elapsedMs() + this.pauseMs(target)
    this.run()
  }

  /** Addresses that could not be reached. */
  failing(): { readonly address: string; readonly failures: number; readonly retryMs: number; readonly reason: string }[] {
    const now = this.options.clock.elapsedMs()
    return [...this.targets.values()]
      .filter(({ address, state, failures }) => state === 'waiting' && failures > 0 && !this.options.isConnected(address))
      .map(({ address, failures, dueMs, reason }) => ({ address, failures, retryMs: Math.max(0, Math.round(dueMs - now)), reason }))
  }

  close(): void {
    this.isClosed = true
    this.cancel()
    this.targets.clear()
  }

  private run(): void {
    if (this.isClosed) return
    this.cancel()
    const { clock, maxDials, maxPeriodMs, isConnected, dial } = this.options
    const now = clock.elapsedMs()
    let nextMs = Number.POSITIVE_INFINITY
    // A map may be changed while it is walked through: what `dial` adds comes later in the walk.
    for (const target of this.targets.values()) {
      if (target.state === 'busy') continue
      if (isConnected(target.address)) {
        // Reached by another way; looked at again when that ends, and now and then.
        target.dueMs = Math.max(target.dueMs, now + maxPeriodMs)
      } else if (target.dueMs <= now) {
        // The end of another attempt makes room.
        if (this.dialling >= maxDials) continue
        target.state = 'busy'
        this.dialling++
        dial(target.address)
        continue
      }
      nextMs = Math.min(nextMs, target.dueMs)
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.cancel = clock.setTimer(Math.max(1, nextMs - now), () => this.run())
  }

  private pauseMs({ kind, failures }: Target): number {
    const { maxPeriodMs, random } = this.options
    const cap = kind !== 'root' && failures > PATIENCE ? maxPeriodMs * SLOW_FACTOR : maxPeriodMs
    return Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures, PATIENCE + 1), cap) * (0.75 + random() / 2)
  }

  private candidates(): number {
    let count = 0
    for (const { kind } of this.targets.values()) if (kind === 'candidate') count++
    return count
  }
}

function rank(kind: AddressKind): number {
  return kind === 'root' ? 2 : kind === 'known' ? 1 : 0
}
