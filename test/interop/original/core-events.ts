import type { pbft } from '../../../proto/index.js'

export interface CoreOptions {
  readonly id: number
  readonly N: number
  readonly f: number
  readonly K: number
  readonly logMultiplier: number
  readonly requestMs: number
  readonly viewChangeMs: number
  readonly resendMs: number
  readonly nullRequestMs: number
  readonly viewChangePeriod: number
}

export interface Target {
  readonly n: number
  readonly id: Uint8Array
  readonly replicas: readonly number[] | undefined
}

export type Event =
  | { readonly is: 'message'; readonly from: number; readonly message: NonNullable<pbft.Payload> }
  | { readonly is: 'requestBatch'; readonly batch: pbft.RequestBatch }
  | { readonly is: 'executed'; readonly tag: Uint8Array }
  | { readonly is: 'committed' }
  | { readonly is: 'executionDone' }
  | { readonly is: 'stateUpdated'; readonly n: number; readonly id: Uint8Array; readonly success: boolean }
  | { readonly is: 'newViewTimer' | 'resendTimer' | 'nullRequestTimer' | 'batchTimer' | 'quorum' | 'viewChanged' }
  | { readonly is: 'startUp' }
  | { readonly is: 'transaction'; readonly payload: Uint8Array }
  | { readonly is: 'consensus'; readonly from: string; readonly payload: Uint8Array }

/** What the core gets from the batch engine (§2.10). */
export interface Inner {
  broadcast(payload: pbft.Payload): void
  unicast(payload: pbft.Payload, to: number): void
  execute(n: number, batch: pbft.RequestBatch): void
  getState(): Uint8Array
  lastSeqNo(): number
  skipTo(target: Target): void
  validate(valid: boolean): void
}
