import type { DeliveredBlock, Engine, EngineRequest, Head, MemberIndex, RequestOutcome, TransferResult } from './engine.js'

/** What an engine is told, as data: one event is one call of a handler. A recording of a run is its events in order. */
export type EngineEvent =
  | { readonly type: 'request'; readonly request: EngineRequest }
  | { readonly type: 'message'; readonly from: MemberIndex; readonly bytes: Uint8Array }
  | { readonly type: 'peer'; readonly member: MemberIndex; readonly up: boolean }
  /** `generation` tells a timer from its resets; the engine never sees it. */
  | { readonly type: 'timer'; readonly name: string; readonly generation: number }
  | { readonly type: 'executed'; readonly tag: string; readonly stateHash: Uint8Array | undefined; readonly outcomes: readonly RequestOutcome[] }
  | { readonly type: 'delivered'; readonly tag: string; readonly block: DeliveredBlock | 'skipped' }
  | { readonly type: 'transferred'; readonly result: TransferResult }
  | { readonly type: 'signed'; readonly token: string; readonly signature: Uint8Array }
  | { readonly type: 'verified'; readonly token: string; readonly verdicts: readonly boolean[] }
  | { readonly type: 'sealed'; readonly height: bigint }

/** Calls the handler of an event. Returns what the handler returned, which has to be nothing. */
export function handle(engine: Engine, event: EngineEvent): unknown {
  let returned: unknown
  switch (event.type) {
    case 'request':
      returned = engine.onRequest?.(event.request)
      break
    case 'message':
      returned = engine.onMessage?.(event.from, event.bytes)
      break
    case 'peer':
      returned = engine.onPeer?.(event.member, event.up)
      break
    case 'timer':
      returned = engine.onTimer?.(event.name)
      break
    case 'executed':
      returned = engine.onExecuted?.(event.tag, { stateHash: event.stateHash, outcomes: event.outcomes })
      break
    case 'delivered':
      returned = engine.onDelivered?.(event.tag, event.block)
      break
    case 'transferred':
      returned = engine.onTransferred?.(event.result)
      break
    case 'signed':
      returned = engine.onSigned?.(event.token, event.signature)
      break
    case 'verified':
      returned = engine.onVerified?.(event.token, event.verdicts)
      break
    case 'sealed':
      returned = engine.onSealed?.(event.height)
      break
  }
  return returned
}

/** The chain head that an event brings: engines see the head move only between handlers, with the event that tells of it. */
export function headOf(event: EngineEvent): Head | undefined {
  if (event.type === 'delivered' && event.block !== 'skipped') return event.block.head
  if (event.type === 'transferred' && event.result.reached) return event.result.head
  return undefined
}
