import type { Logger } from '../../../kernel/index.js'
import type { Effect, EngineRecord, LedgerEffect } from '../engine/effects.js'
import type { MemberIndex, RequestId, VoteMark } from '../engine/engine.js'
import type { Outbox } from './outbox.js'
import type { EngineTimers } from './timers.js'

/** Where an engine's records are kept. */
export interface Persistence {
  /** Writes the records of one handler, and the end of requests that it forgot, together. Undefined: there was nothing to write. */
  write(records: readonly EngineRecord[], forgotten: readonly RequestId[]): Promise<void> | undefined
}

/** Where effects go. */
export interface EffectTargets {
  readonly persistence: Persistence
  readonly outbox: Outbox
  readonly ledger: (effect: LedgerEffect) => void
  readonly timers: EngineTimers
  readonly crypto: (effect: Effect & { type: 'sign' | 'verify' }) => void
  readonly log: Logger
  /** Indexes of all members but self. */
  readonly others: readonly MemberIndex[]
  readonly metrics: Map<string, number>
  forget(ids: readonly RequestId[]): void
  setValid(valid: boolean): void
  setView(view: Readonly<Record<string, unknown>>): void
  halt(reason: string): void
  /** Whether the engine was halted, by itself or by a fault. */
  isOver(): boolean
  fatal(reason: unknown): void
}

/**
 * Carries out the effects of one handler: first everything that it stores as one write, then the rest in order. Its sends wait in the
 * outbox for that write. What follows a halt is dropped.
 */
export function createCarrier(targets: EffectTargets): (effects: readonly Effect[]) => void {
  return (effects) => {
    if (effects.length === 0) return
    try {
      store(effects, targets)
      for (const effect of effects) {
        carryOut(effect, targets)
        if (targets.isOver()) return
      }
    } catch (reason) {
      targets.fatal(reason)
    }
  }
}

function store(effects: readonly Effect[], targets: EffectTargets): void {
  const { persistence, outbox } = targets
  const records: EngineRecord[] = []
  const forgotten: RequestId[] = []
  for (const effect of effects) {
    if (effect.type === 'halt') break
    if (effect.type === 'record') records.push(effect.record)
    // One by one: an engine may name more than a call takes as arguments.
    else if (effect.type === 'forget') for (const id of effect.ids) forgotten.push(id)
  }
  if (records.length === 0 && forgotten.length === 0) return
  const written = persistence.write(records, forgotten)
  if (!written) return
  const durable = outbox.beginWrite()
  written.then(durable, (reason: unknown) => targets.fatal(reason))
}

function carryOut(effect: Effect, targets: EffectTargets): void {
  switch (effect.type) {
    case 'send':
      targets.outbox.send(effect)
      break
    case 'broadcast':
      broadcast(effect.bytes, effect.vote, targets)
      break
    case 'record':
      break // written by `store`
    case 'forget':
      targets.forget(effect.ids)
      break
    case 'deliver':
    case 'execute':
    case 'commit':
    case 'rollback':
    case 'transfer':
      targets.ledger(effect)
      break
    case 'valid':
      targets.setValid(effect.valid)
      break
    case 'timer':
      targets.timers.set(effect.name, effect.delayMs)
      break
    case 'cancel-timer':
      targets.timers.cancel(effect.name)
      break
    case 'sign':
    case 'verify':
      targets.crypto(effect)
      break
    case 'status':
      targets.setView(effect.view)
      break
    case 'metric':
      targets.metrics.set(effect.name, effect.value)
      break
    case 'log':
      targets.log[effect.level](effect.message)
      break
    case 'halt':
      targets.halt(effect.reason)
      break
  }
}

function broadcast(bytes: Uint8Array, vote: VoteMark | undefined, { outbox, others }: EffectTargets): void {
  for (const to of others) outbox.send({ to, bytes, vote })
}
