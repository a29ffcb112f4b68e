import type { HostQueues } from '../counters.js'
import type { Clock, Logger } from '../../../kernel/index.js'
import { printable } from '../../terminal/index.js'
import { createCarrier, type Persistence } from './carrier.js'
import { createCrypto } from './crypto.js'
import type { LedgerEffect } from '../engine/effects.js'
import type { EngineStart, Member, MemberIndex, RequestId } from '../engine/engine.js'
import type { EngineEvent } from '../engine/events.js'
import { Inbox } from './inbox.js'
import type { ConsensusLimits } from '../limits.js'
import { Outbox, type OutboundMessage } from './outbox.js'
import type { EngineSeat, SeatMaker } from '../engine/seat.js'
import type { ConsensusSigner } from './signer.js'
import { EngineTimers } from './timers.js'

/** Of what an engine halts with, or throws. */
const MOST_OF_A_REASON = 4096

/** What all sessions of a host share. */
export interface SessionSurroundings {
  readonly members: readonly Member[]
  readonly self: MemberIndex
  readonly limits: ConsensusLimits
  readonly clock: Clock
  readonly log: Logger
  readonly signer: ConsensusSigner | undefined
  /** What the validators call their network, '' if nothing; undefined: there are originals among them in epoch 0. */
  readonly network: string | undefined
  /** Milliseconds of logical time. */
  readonly now: () => number
  readonly defer: (task: () => void) => void
  /** A write failed: the peer must stop. */
  readonly fatal: (reason: unknown) => void
}

/** What one session has of its own. */
export interface SessionOptions extends SessionSurroundings {
  readonly seat: SeatMaker
  /** Before all that the engine has signed; undefined: nothing. */
  readonly domain: Uint8Array | undefined
  readonly persistence: Persistence
  /** Work on the ledger that the engine asks for. */
  readonly ledger: (effect: LedgerEffect) => void
  /** Must not throw. */
  readonly transmit: (message: OutboundMessage) => void
  /** The engine drops requests. */
  readonly forget: (ids: readonly RequestId[]) => void
  readonly setValid: (valid: boolean) => void
  readonly metrics: Map<string, number>
  /** The engine halted itself, or broke a rule. Called once; it gets no more events. */
  readonly halted: (reason: string) => void
  /** The engine's process died through no fault of its rules: it is to be begun anew from its records. */
  readonly lost: (reason: string) => void
  readonly observe: ((event: EngineEvent) => void) | undefined
}

/** One instance of an engine with everything slow that is its own: its seat, its records, its timers, and its messages in and out. */
export class EngineSession {
  private readonly seat: EngineSeat
  private readonly timers: EngineTimers
  private readonly inbox: Inbox
  private readonly outbox: Outbox
  private haltedBecause: string | undefined
  private isOver = false
  private stated: Readonly<Record<string, unknown>> = {}

  constructor(private readonly options: SessionOptions) {
    const { members, self, limits, clock, log, defer, fatal, metrics, persistence, signer } = options
    const post = (event: EngineEvent): void => this.post(event)
    const fault = (reason: string): void => this.halt(reason)
    this.timers = new EngineTimers(clock, defer, (name, generation) => post({ type: 'timer', name, generation }))
    this.outbox = new Outbox(
      (message) => {
        if (!this.isOver) options.transmit(message)
      },
      () => this.inbox.resume(),
    )
    this.inbox = new Inbox({
      members: members.length,
      self,
      maxPerMember: limits.maxInboundPerMember,
      maxBytesPerMember: limits.maxInboundBytesPerMember,
      clock,
      log,
      defer,
      deliver: post,
      dropped: (total) => void metrics.set('host_messages_dropped_total', total),
      isPaused: () => this.outbox.waiting > limits.maxWaitingSends || this.seat.isCongested,
    })
    const carryOut = createCarrier({
      persistence,
      outbox: this.outbox,
      ledger: options.ledger,
      timers: this.timers,
      crypto: createCrypto({ signer, members, domain: options.domain, answer: post, fault }),
      log,
      others: members.map(({ index }) => index).filter((index) => index !== self),
      metrics,
      forget: options.forget,
      setValid: options.setValid,
      setView: (view) => {
        this.stated = view
      },
      halt: fault,
      isOver: () => this.haltedBecause !== undefined || this.isOver,
      fatal,
    })
    this.seat = options.seat({
      self,
      members,
      deliveryWindow: limits.deliveryWindow,
      now: options.now,
      claimTimer: (name, generation) => this.timers.claim(name, generation),
      carryOut,
      fault,
      lost: (reason) => {
        if (!this.isOver) options.lost(reason)
      },
      resume: () => this.inbox.resume(),
      clock,
      log,
      observe: options.observe,
    })
  }

  /** What the engine says of itself. */
  get view(): Readonly<Record<string, unknown>> {
    return this.stated
  }

  /** What waits here. */
  get queues(): HostQueues {
    return { inbox: this.inbox.size, outbox: this.outbox.waiting }
  }

  /** Makes the engine. False if it could not be made. */
  begin(start: EngineStart): boolean {
    this.haltedBecause = undefined
    this.inbox.open()
    return this.seat.begin(start)
  }

  /** Tells the engine something that is no message. */
  post(event: EngineEvent): void {
    this.seat.post(event)
  }

  message(from: MemberIndex, bytes: Uint8Array): void {
    this.inbox.message(from, bytes)
  }

  peer(member: MemberIndex, up: boolean): void {
    this.inbox.peer(member, up)
  }

  /** Messages that the engine has not been given, and will not be: another instance will. Undefined bytes: some are lost. */
  takeUnread(): { readonly from: MemberIndex; readonly bytes: Uint8Array | undefined }[] {
    return this.inbox.takeUnread()
  }

  /** The engine gets no more timers and messages; what it waits for still comes. */
  quieten(): void {
    this.timers.cancelAll()
    this.inbox.close()
  }

  /** Lets the engine go, so that it can be begun again. Resolves when what it held is free. */
  async rest(): Promise<void> {
    this.quieten()
    await this.seat.dispose()
  }

  /** Stops the engine for good; what it held is free when this resolves. */
  async dispose(): Promise<void> {
    this.end()
    await this.seat.dispose()
  }

  /** Stops at once: nothing further is handled or sent. */
  end(): void {
    this.isOver = true
    this.seat.end()
    this.quieten()
    this.outbox.clear()
  }

  /** The engine broke a rule: it gets no more events. */
  fail(reason: string): void {
    this.halt(reason)
  }

  private halt(reason: string): void {
    if (this.haltedBecause !== undefined || this.isOver) return
    this.haltedBecause = printable(reason, MOST_OF_A_REASON)
    this.seat.end()
    this.quieten()
    this.options.halted(this.haltedBecause)
  }
}
