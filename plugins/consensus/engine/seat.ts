import type { Clock, Logger } from '../../../kernel/index.js'
import type { Effect } from './effects.js'
import type { EngineStart, Member, MemberIndex } from './engine.js'
import type { EngineEvent } from './events.js'

/**
 * Where an engine sits: in this process, or in one of its own. The host posts events and is handed the effects of each handler, in order.
 * Each seat is begun at most once at a time; after `dispose` it can be begun again with another start.
 */
export interface EngineSeat {
  /** From `begin` until the engine is ended, threw, or broke a rule. */
  readonly isRunning: boolean
  /** True while the engine is so far behind that it should get no more messages; `resume` of the options is called when that is over. */
  readonly isCongested: boolean
  /** What the engine has been busy with for a while, for people: `its 'create' has not returned for 2400 ms`. Undefined: nothing, or nobody can tell. */
  readonly awaited: string | undefined
  /** Makes the engine, which may already ask for effects. False if it could not be made; then `fault` was called. */
  begin(start: EngineStart): boolean
  /** Tells the engine something, at once or as soon as its turn comes. Ignored without an engine. */
  post(event: EngineEvent): void
  /** The engine gets no more events, and nothing that it asks for is carried out. */
  end(): void
  /** As `end`, and lets the engine free what it holds; only its log lines are carried out. Resolves when all is free; never rejects. */
  dispose(): Promise<void>
}

/** What a seat needs of its host. */
export interface SeatOptions {
  readonly self: MemberIndex
  readonly members: readonly Member[]
  readonly deliveryWindow: number
  /** Milliseconds of logical time. */
  readonly now: () => number
  /** Whether a timer's event is still wanted. Asked after everything that earlier handlers asked for was carried out. */
  readonly claimTimer: (name: string, generation: number) => boolean
  readonly carryOut: (effects: readonly Effect[]) => void
  /** The engine threw or broke a rule: it must not run again. */
  readonly fault: (reason: string) => void
  /**
   * The engine is gone through no fault of its rules (its process died): it has to be begun anew from its records. The seat has ended already, and has waited
   * as long as it wants between two of these. Never called in process.
   */
  readonly lost: (reason: string) => void
  /** Messages are welcome again. */
  readonly resume: () => void
  /** Sees every event before its handler runs, for recording and simulation. */
  readonly observe: ((event: EngineEvent) => void) | undefined
  readonly clock: Clock
  readonly log: Logger
}

/** Makes the seat of one engine with its options. */
export type SeatMaker = (options: SeatOptions) => EngineSeat
