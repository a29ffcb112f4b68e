import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../kernel/index.js'
import { PeerEndpoint_Type } from '../../proto/index.js'
import { newsOf } from './happenings.js'
import type { Answer, Happening, Picture, Target, Watched } from './model.js'
import { swapOf } from './swap.js'

const MAX_PEERS = 128
const MAX_HAPPENINGS = 100
/** While an engine is changed: that takes a fraction of a second. */
const SWAP_INTERVAL_MS = 100
/** protos.PeerEndpoint.Type, as a peer says it. */
const VALIDATOR: number = PeerEndpoint_Type.VALIDATOR
/** Rates are taken over so long at least. */
const RATE_SPAN_MS = 900

export interface WatchOptions {
  readonly title: string
  readonly targets: readonly Target[]
  readonly ask: (target: Target) => Promise<Answer>
  readonly intervalMs: number
  /** Whether the validators that peers are linked to are watched as well. */
  readonly follows: boolean
}

/** Asks peers again and again, each on its own, so that one that hangs holds up nobody. */
export class Watch {
  readonly #peers: Watched[]
  readonly #answers = new Map<string, readonly Answer[]>()
  readonly #happenings: Happening[] = []
  readonly #asking = new Set<Promise<void>>()
  /** Other addresses of peers that are watched. */
  readonly #twins = new Set<string>()

  constructor(private readonly options: WatchOptions) {
    this.#peers = options.targets.map(asked)
  }

  /** Until the signal. */
  start(signal: AbortSignal): void {
    for (const { target } of this.#peers) this.#begin(target, signal)
  }

  picture(): Picture {
    return { title: this.options.title, wallMs: Date.now(), nowMs: performance.now(), peers: [...this.#peers], happenings: [...this.#happenings] }
  }

  /** Whether each peer has answered twice, or not at all. */
  get isSettled(): boolean {
    return this.#peers.every(({ state, before }) => state === 'unreachable' || before !== undefined)
  }

  /** After the signal: resolves when nothing is asked any more. */
  async ended(): Promise<void> {
    while (this.#asking.size > 0) await Promise.all(this.#asking)
  }

  #begin(target: Target, signal: AbortSignal): void {
    const following = this.#follow(target, signal).finally(() => this.#asking.delete(following))
    this.#asking.add(following)
  }

  async #follow(target: Target, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const beganMs = performance.now()
      let answer: Answer | undefined
      try {
        answer = await this.options.ask(target)
        if (this.#isTwin(target, answer)) return
        if (!signal.aborted) this.#answered(target, answer, signal)
      } catch (error) {
        if (!signal.aborted) this.#failed(target, messageOf(error))
      }
      const intervalMs = answer && swapOf(answer.report) ? Math.min(SWAP_INTERVAL_MS, this.options.intervalMs) : this.options.intervalMs
      await pause(Math.max(20, intervalMs - (performance.now() - beganMs)), signal)
    }
  }

  #answered(target: Target, answer: Answer, signal: AbortSignal): void {
    const kept = [...(this.#answers.get(target.address) ?? []), answer]
    // The newest one that is old enough to compare with, and what came after it.
    const from = kept.findLastIndex(({ atMs }) => answer.atMs - atMs >= Math.min(RATE_SPAN_MS, this.options.intervalMs * 0.9))
    const recent = kept.slice(Math.max(0, from))
    this.#answers.set(target.address, recent)
    const before = recent.length > 1 ? recent[0] : undefined
    this.#set(target, { target, state: 'answers', last: answer, before, reason: '', sinceMs: performance.now() })
    if (this.options.follows) this.#found(answer, signal)
  }

  #failed(target: Target, reason: string): void {
    const former = this.#of(target)
    this.#answers.delete(target.address)
    const sinceMs = former?.state === 'unreachable' ? former.sinceMs : performance.now()
    this.#set(target, { target, state: 'unreachable', last: former?.last, before: undefined, reason, sinceMs })
  }

  #of(target: Target): Watched | undefined {
    return this.#peers.find((peer) => peer.target === target)
  }

  #set(target: Target, next: Watched): void {
    const index = this.#peers.findIndex((peer) => peer.target === target)
    const former = this.#peers[index]
    if (!former) return
    this.#peers[index] = next
    const peer = next.last?.report.id ?? target.name
    this.#happenings.push(...newsOf(former, next).map((news) => ({ atMs: Date.now(), peer, ...news })))
    this.#happenings.splice(0, Math.max(0, this.#happenings.length - MAX_HAPPENINGS))
  }

  /** Validators that nobody watches yet, and addresses at which there should be peers. */
  #found({ network }: Answer, signal: AbortSignal): void {
    for (const { id, address, type } of network?.links ?? []) if (type === VALIDATOR) this.#add({ name: id, address }, signal)
    for (const { address } of network?.dials ?? []) this.#add({ name: address, address }, signal)
  }

  #add(target: Target, signal: AbortSignal): void {
    const isKnown = this.#peers.some((peer) => peer.target.address === target.address || nameOf(peer) === target.name)
    if (isKnown || this.#twins.has(target.address) || this.#peers.length >= MAX_PEERS) return
    this.#peers.push(asked(target))
    this.#peers.sort(byName)
    this.#begin(target, signal)
  }

  /** An address that was found turns out to be another one of a peer that is watched already. */
  #isTwin(target: Target, { report }: Answer): boolean {
    const index = this.#peers.findIndex((peer) => peer.target === target)
    const isTwin = this.options.follows && this.#peers.some((peer) => peer.target !== target && peer.state === 'answers' && nameOf(peer) === report.id)
    if (!isTwin) return false
    this.#peers.splice(index, 1)
    this.#twins.add(target.address)
    return true
  }
}

function asked(target: Target): Watched {
  return { target, state: 'asked', last: undefined, before: undefined, reason: '', sinceMs: performance.now() }
}

function nameOf({ last, target }: Watched): string {
  return last?.report.id ?? target.name
}

/** vp2 before vp10. */
function byName(a: Watched, b: Watched): number {
  return nameOf(a).localeCompare(nameOf(b), 'en', { numeric: true })
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
