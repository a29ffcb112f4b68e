import type { Engine, EngineEvent } from '../../plugins/consensus/index.js'
import { inWords, shortHex } from './engine-effects.js'
import { describeEvent } from './trace.js'

/** What an engine is told; a timer by its name alone. */
export type ScriptedEvent = Exclude<EngineEvent, { readonly type: 'timer' }> | { readonly type: 'timer'; readonly name: string }

/** An event in the life of an instance. The first is `create`. */
export type LifeEvent = ScriptedEvent | { readonly type: 'create' } | { readonly type: 'dispose' }

/** Calls the handler of an event; returns what it returned, which has to be nothing. `create` calls none. */
export function tell(engine: Engine, event: LifeEvent): unknown {
  switch (event.type) {
    case 'create':
      return undefined
    case 'dispose':
      return engine.dispose?.()
    case 'request':
      return engine.onRequest?.(event.request)
    case 'message':
      return engine.onMessage?.(event.from, event.bytes)
    case 'peer':
      return engine.onPeer?.(event.member, event.up)
    case 'timer':
      return engine.onTimer?.(event.name)
    case 'executed':
      return engine.onExecuted?.(event.tag, { stateHash: event.stateHash, outcomes: event.outcomes })
    case 'delivered':
      return engine.onDelivered?.(event.tag, event.block)
    case 'transferred':
      return engine.onTransferred?.(event.result)
    case 'signed':
      return engine.onSigned?.(event.token, event.signature)
    case 'verified':
      return engine.onVerified?.(event.token, event.verdicts)
    case 'sealed':
      break
  }
  return engine.onSealed?.(event.height)
}

/** An event in a few words; of a message what `decode` makes of it, if it knows. */
export function describeLifeEvent(event: LifeEvent, decode?: (bytes: Uint8Array) => unknown): string {
  const told = event.type === 'message' ? decode?.(event.bytes) : undefined
  if (event.type === 'message' && told !== undefined) return `message from vp${event.from} ${inWords(told, shortHex)}`
  if (event.type === 'create' || event.type === 'dispose') return event.type
  return describeEvent(event.type === 'timer' ? { ...event, generation: 0 } : event)
}

/** An engine that passes on what it is told, and tells `before` first. */
export function tapEvents(inner: Engine, before: (event: LifeEvent) => void): Engine {
  const told = (event: LifeEvent): void => {
    before(event)
    const returned: unknown = tell(inner, event)
    // The host wants to see a promise that a handler returns.
    if (returned instanceof Promise) throw new TypeError(`the handler of '${event.type}' returned a promise: handlers are synchronous`)
  }
  return {
    onRequest: (request) => told({ type: 'request', request }),
    onMessage: (from, bytes) => told({ type: 'message', from, bytes }),
    onPeer: (member, up) => told({ type: 'peer', member, up }),
    onTimer: (name) => told({ type: 'timer', name }),
    onExecuted: (tag, { stateHash, outcomes }) => told({ type: 'executed', tag, stateHash, outcomes }),
    onDelivered: (tag, block) => told({ type: 'delivered', tag, block }),
    onTransferred: (result) => told({ type: 'transferred', result }),
    onSigned: (token, signature) => told({ type: 'signed', token, signature }),
    onVerified: (token, verdicts) => told({ type: 'verified', token, verdicts }),
    onSealed: (height) => told({ type: 'sealed', height }),
    dispose: () => told({ type: 'dispose' }),
  }
}
