import type { Effect, EngineEvent, EngineStart, MemberIndex, Member } from '../consensus/index.js'

/** Bounds that an engine's process keeps, and its peer checks again. */
export interface EffectLimits {
  /** Effects of one handler. */
  readonly maxEffects: number
  /** Bytes of an answer. */
  readonly maxAnswerBytes: number
}

/** The start of an engine; its records came before it. */
export type PackedStart = Omit<EngineStart, 'restored' | 'members'>

/** From the peer to an engine's process. The first frame of all is the bundle itself. */
export type ToEngine =
  | { readonly type: 'describe'; readonly tolerancesUpTo: number }
  /** `options`: JSON. `members`: whom they have to fit; undefined: nobody in particular. */
  | { readonly type: 'check'; readonly options: string; readonly members: readonly Member[] | undefined }
  /** Some of the records of the `create` that follows. Not answered. */
  | { readonly type: 'records'; readonly records: readonly (readonly [key: string, value: Uint8Array])[] }
  | {
      readonly type: 'create'
      readonly now: number
      readonly options: string
      readonly self: MemberIndex
      readonly members: readonly Member[]
      readonly deliveryWindow: number
      readonly start: PackedStart
      readonly limits: EffectLimits
    }
  | { readonly type: 'event'; readonly now: number; readonly event: EngineEvent }
  | { readonly type: 'dispose'; readonly now: number }

/** A status as JSON: it may hold anything. */
export type PackedEffect = Exclude<Effect, { type: 'status' }> | { readonly type: 'status'; readonly view: string }

/** From an engine's process to the peer: `loaded`, then one answer to each message, in order. */
export type FromEngine =
  | { readonly type: 'loaded' }
  | {
      readonly type: 'description'
      readonly name: string
      readonly version: string
      readonly agreement: boolean
      /** `[crashed, byzantine]` of 1, 2, ... members. */
      readonly tolerances: readonly (readonly [number, number])[]
      /** It may refuse options for some members. */
      readonly checksMembers: boolean
    }
  /** What `parseOptions` made of the options, as JSON. */
  | { readonly type: 'checked'; readonly options: string }
  | { readonly type: 'refused'; readonly message: string; readonly hint?: string | undefined }
  | { readonly type: 'effects'; readonly effects: readonly PackedEffect[] }
  /** The engine threw, or broke a rule. */
  | { readonly type: 'failed'; readonly reason: string }
