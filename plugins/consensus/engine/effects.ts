import type { EngineRequest, MemberIndex, RequestId, TransferTarget, VoteMark } from './engine.js'

/** One signature to check. */
export interface VerifyItem {
  readonly member: MemberIndex
  readonly bytes: Uint8Array
  readonly signature: Uint8Array
}

/** A record of an engine: `value` undefined deletes it. */
export type EngineRecord = readonly [key: string, value: Uint8Array | undefined]

/** Work on the ledger, done strictly in order. */
export type LedgerEffect =
  | {
      readonly type: 'deliver'
      readonly tag: string
      readonly requests: readonly EngineRequest[]
      readonly metadata: Uint8Array | undefined
      readonly put: readonly EngineRecord[]
    }
  | { readonly type: 'execute'; readonly tag: string; readonly requests: readonly EngineRequest[] }
  | { readonly type: 'commit'; readonly tag: string; readonly metadata: Uint8Array | undefined }
  | { readonly type: 'rollback' }
  | { readonly type: 'transfer'; readonly target: TransferTarget }

/** What an engine asked for, as data: recorded while its handler runs, carried out in order after it returned. */
export type Effect =
  | LedgerEffect
  | { readonly type: 'send'; readonly to: MemberIndex; readonly bytes: Uint8Array; readonly vote: VoteMark | undefined }
  | { readonly type: 'broadcast'; readonly bytes: Uint8Array; readonly vote: VoteMark | undefined }
  | { readonly type: 'record'; readonly record: EngineRecord }
  | { readonly type: 'forget'; readonly ids: readonly RequestId[] }
  | { readonly type: 'valid'; readonly valid: boolean }
  | { readonly type: 'timer'; readonly name: string; readonly delayMs: number }
  | { readonly type: 'cancel-timer'; readonly name: string }
  | { readonly type: 'sign'; readonly token: string; readonly bytes: Uint8Array }
  | { readonly type: 'verify'; readonly token: string; readonly items: readonly VerifyItem[] }
  | { readonly type: 'status'; readonly view: Readonly<Record<string, unknown>> }
  | { readonly type: 'metric'; readonly name: string; readonly value: number }
  | { readonly type: 'log'; readonly level: 'error' | 'warning' | 'info' | 'debug'; readonly message: string }
  | { readonly type: 'halt'; readonly reason: string }
