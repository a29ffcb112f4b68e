import { BlockchainInfo, encode } from '../../../proto/index.js'
import type { CatalogEngine } from '../catalog.js'
import type { LedgerEffect } from '../engine/effects.js'
import type { EngineRequest, Head, MemberIndex, TransferTarget } from '../engine/engine.js'
import { engineDomain } from '../epochs/engine-domain.js'
import type { EngineEvent } from '../engine/events.js'
import type { OutboundMessage } from '../session/outbox.js'
import { digestOf, requestId } from '../engine/request-id.js'
import { EngineSession, type SessionSurroundings } from '../session/session.js'
import { succession } from './calls.js'

export interface TrialOptions {
  readonly surroundings: SessionSurroundings
  /** Identity of the candidate. */
  readonly candidate: Uint8Array
  readonly epoch: bigint
  readonly engine: CatalogEngine
  /** Unparsed. */
  readonly options: unknown
  readonly seed: bigint
  readonly firstLeader: MemberIndex
  /** Probes of so many members have to be ordered. */
  readonly needed: number
  readonly transmit: (message: OutboundMessage) => void
  /** The trial has ordered what it had to; `probe` (32 bytes) says what, and is the same wherever the engine orders alike. */
  readonly passed: (probe: Uint8Array) => void
  readonly failed: (reason: string) => void
}

/**
 * A candidate on trial, beside the engine that runs: it has no ledger, writes nothing, and orders one probe of each member. What it delivers
 * becomes blocks of a chain that exists in this object alone.
 */
export class Trial {
  private readonly session: EngineSession
  private readonly probes: readonly EngineRequest[]
  private readonly ordered: MemberIndex[] = []
  private executing: EngineRequest[] = []
  private head: Head
  private metadata: Uint8Array | undefined
  private isOwnOrdered = false
  private isOver = false

  constructor(private readonly options: TrialOptions) {
    const { surroundings, candidate, engine, epoch, transmit } = options
    const { members, network = '' } = surroundings
    this.probes = members.map(({ index }) => probeOf(candidate, index))
    this.head = headAt(1n, digestOf(candidate))
    this.session = new EngineSession({
      ...surroundings,
      domain: engineDomain({ network, members, epoch: { epoch, candidate, activation: 0n }, isTrial: true }),
      seat: engine.seat(options.options),
      // Nothing of it must survive: a restart begins a new trial.
      persistence: { write: () => undefined },
      ledger: (effect) => this.work(effect),
      transmit,
      forget: () => undefined,
      setValid: () => undefined,
      metrics: new Map<string, number>(),
      halted: (reason) => this.fail(reason),
      lost: (reason) => this.fail(reason),
      observe: undefined,
    })
  }

  get identity(): Uint8Array {
    return this.options.candidate
  }

  /** Probes that were ordered, of those that have to be. */
  get progress(): { readonly ordered: number; readonly needed: number } {
    return { ordered: this.ordered.length, needed: this.options.needed }
  }

  /** What its engine has been busy with for a while, for people. */
  get awaited(): string | undefined {
    return this.session.awaited
  }

  begin(): void {
    const { surroundings, epoch, seed, firstLeader } = this.options
    const { members, self } = surroundings
    const begun = this.session.begin({ epoch, head: this.head, metadata: undefined, restored: new Map(), members, executed: [], seed, firstLeader })
    const own = this.probes[self]
    if (begun && own) this.session.post({ type: 'request', request: own })
  }

  message(from: MemberIndex, bytes: Uint8Array): void {
    this.session.message(from, bytes)
  }

  peer(member: MemberIndex, up: boolean): void {
    this.session.peer(member, up)
  }

  /** Resolves when everything that it held is free. */
  end(): Promise<void> {
    this.isOver = true
    return this.session.dispose()
  }

  private fail(reason: string): void {
    if (this.isOver) return
    this.isOver = true
    this.options.failed(reason)
  }

  private work(effect: LedgerEffect): void {
    switch (effect.type) {
      case 'deliver':
        this.executing = []
        return this.block(effect.tag, effect.requests, effect.metadata)
      case 'execute': {
        this.executing = this.executing.concat(effect.requests)
        const outcomes = effect.requests.map(({ id }) => ({ id, succeeded: true }))
        return this.answer({ type: 'executed', tag: effect.tag, stateHash: chained(this.head.hash, this.executing), outcomes })
      }
      case 'commit': {
        const requests = this.executing
        this.executing = []
        return this.block(effect.tag, requests, effect.metadata)
      }
      case 'rollback':
        this.executing = []
        return undefined
      case 'transfer':
        return this.transfer(effect.target)
    }
  }

  /** There is no chain to take from others; engines that ask for their own head have it. */
  private transfer({ height, hash }: TransferTarget): void {
    const { head, metadata, isOwnOrdered, probes } = this
    const isHere = height === head.height && Buffer.compare(hash, head.hash) === 0
    if (!isHere) return this.answer({ type: 'transferred', result: { reached: false, reason: 'an engine on trial has no chain to transfer' } })
    this.answer({ type: 'transferred', result: { reached: true, head, metadata, executed: [] } })
    const own = probes[this.options.surroundings.self]
    if (own && !isOwnOrdered) this.answer({ type: 'request', request: own })
  }

  private block(tag: string, requests: readonly EngineRequest[], metadata: Uint8Array | undefined): void {
    this.metadata = metadata
    const hash = chained(this.head.hash, requests)
    const number = this.head.height
    this.head = headAt(number + 1n, hash)
    this.answer({ type: 'delivered', tag, block: { number, hash, stateHash: hash, head: this.head } })
    for (const { bytes } of requests) this.count(requestId(bytes))
  }

  private count(id: string): void {
    const member = this.probes.findIndex((probe) => probe.id === id)
    this.isOwnOrdered ||= member === this.options.surroundings.self
    if (member < 0 || this.ordered.includes(member) || this.ordered.length >= this.options.needed) return
    this.ordered.push(member)
    if (this.ordered.length < this.options.needed || this.isOver) return
    this.options.passed(digestOf(Buffer.concat([this.options.candidate, Buffer.from(this.ordered.join())])))
  }

  /** Later, as a real ledger answers. */
  private answer(event: EngineEvent): void {
    this.options.surroundings.defer(() => {
      if (!this.isOver) this.session.post(event)
    })
  }
}

function probeOf(candidate: Uint8Array, member: MemberIndex): EngineRequest {
  const bytes = succession(`probe-${Buffer.from(candidate).toString('hex', 0, 8)}-${member}`, 'probe', [candidate])
  return { id: requestId(bytes), bytes }
}

function chained(before: Uint8Array, requests: readonly EngineRequest[]): Uint8Array {
  return digestOf(Buffer.concat([before, ...requests.map(({ bytes }) => Buffer.from(requestId(bytes), 'hex'))]))
}

function headAt(height: bigint, hash: Uint8Array): Head {
  return { height, hash, blob: encode(BlockchainInfo, { height, currentBlockHash: hash, previousBlockHash: new Uint8Array(0) }) }
}
