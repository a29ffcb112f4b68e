import { describe, expect, it } from 'vitest'
import { encode, pbft } from '../../proto/index.js'
import { begin } from '../../plugins/pbft/engine.js'
import { toBatch } from '../../plugins/pbft/messages.js'
import { orderBatch } from '../../plugins/pbft/ordering.js'
import { type Asked, Bench } from './kit/bench.js'
import { deviations } from './kit/deviations.js'
import {
  hex,
  inBatchMessage,
  type JsonEffect,
  type JsonInput,
  optionsOf,
  vectorText,
  renamedBlob,
  renamedId,
  renamedMessage,
  toRequest,
  type Transcript,
  unhex,
} from './kit/transcripts.js'

const { transcripts }: { transcripts: Transcript[] } = JSON.parse(vectorText('transcripts'))

/** The number after which a primary that never changes would: none. */
const NEVER = '18446744073709551615'
const headOf = (blobHex: string) => ({ height: 1n, hash: unhex(blobHex), blob: renamedBlob(unhex(blobHex)) })

function feed(bench: Bench, input: JsonInput): Asked[] {
  const { engine, replica } = bench
  switch (input.type) {
    case 'start':
      return bench.take()
    case 'startupStateTransfer':
      bench.head = headOf(input.idHex ?? '')
      return bench.run(() => begin(replica))
    case 'stateUpdated':
      if (input.success) return bench.transferred(headOf(input.idHex ?? ''))
      return bench.run(() => engine.onTransferred({ reached: false, reason: 'recorded' }))
    case 'localBatch':
      return bench.run(() => orderBatch(replica, toBatch({ batch: (input.batch ?? []).map(toRequest) })))
    case 'message':
      return bench.message(Number(input.from), inBatchMessage(renamedMessage(unhex(input.pbftMessageHex ?? ''))))
    case 'executionDone':
      return bench.delivered(String(replica.currentExec), headOf(input.stateBlobHex ?? ''))
    case 'timer':
      return bench.fire(input.timer ?? '')
    case 'note':
      bench.fire('newView')
      return []
    default:
      throw new TypeError(`unknown input ${input.type}`)
  }
}

/** One line for each effect that leaves the replica; messages as hex of their BatchMessage. */
function recorded({ op, pbftMessageHex = '', to, seqNo, idHex = '', replicas }: JsonEffect): string[] {
  const message = (): string => hex(inBatchMessage(renamedMessage(unhex(pbftMessageHex))))
  switch (op) {
    case 'broadcast':
      return [`broadcast ${message()}`]
    case 'unicast':
      return [`send ${to} ${message()}`]
    case 'execute':
      return [`execute ${seqNo}`]
    case 'stateTransfer':
      return [`transfer ${idHex} ${JSON.stringify(replicas)}`]
    case 'invalidateState':
      return ['valid false']
    case 'validateState':
      return ['valid true']
    default:
      return []
  }
}

function emitted(asked: Asked): string[] {
  switch (asked.op) {
    case 'broadcast':
      return [`broadcast ${hex(asked.bytes)}`]
    case 'send':
      return [`send ${asked.to} ${hex(asked.bytes)}`]
    case 'deliver':
      return [`execute ${asked.tag}`]
    case 'transfer':
      return [`transfer ${hex(asked.target.hash)} ${JSON.stringify(asked.target.members)}`]
    case 'valid':
      return [`valid ${asked.valid}`]
    case 'halt':
      return ['halt']
    case 'forget':
      return ['forget']
  }
  return []
}

/** What the original's store holds after a step. An empty set is as good as none. */
function store(records: Map<string, string>, { op, key = '', valueHex = '' }: JsonEffect): void {
  if (op === 'store') records.set(key, key.startsWith('chkpt.') ? hex(renamedBlob(unhex(valueHex))) : valueHex)
  if (op === 'delete') records.delete(key)
}

const content = (records: Iterable<readonly [string, string]>): string[] =>
  [...records]
    .filter(([key, value]) => !key.startsWith('weft.') && value !== '')
    .map(([key, value]) => `${key} ${value}`)
    .sort()

function stateOf({ replica, timers }: Bench): Record<string, unknown> {
  const state = replica
  const rotation = state.rotateAfter === Number.POSITIVE_INFINITY ? NEVER : state.rotateAfter
  return {
    view: state.view,
    activeView: state.isActive,
    h: state.h,
    seqNo: state.seqNo,
    lastExec: state.lastExec,
    currentExec: state.currentExec === undefined ? null : state.currentExec,
    skipInProgress: state.isOutOfDate,
    stateTransferring: state.transferring !== undefined,
    missingBatches: [...state.missing],
    newViewTimerRunning: timers.has('newView'),
    nextNewViewTimeoutMs: state.newViewMs,
    viewChangeSeqNo: rotation,
    ownCheckpoints: [...state.checkpoints].map(([n, id]) => ({ id, sequenceNumber: n })),
    storedBatches: state.batches.size,
  }
}

function recordedState(state: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { certificates: _certificates, outstandingBatches: _outstanding, storedViewChanges: _viewChanges, ...kept } = state
  const checkpoints = kept['ownCheckpoints']
  const renamed = Array.isArray(checkpoints) ? checkpoints.map(({ id, sequenceNumber }) => ({ id: renamedId(String(id)), sequenceNumber })) : checkpoints
  return { ...kept, ownCheckpoints: renamed }
}

describe("the original's transcripts of one replica, replayed", () => {
  for (const { name, description, config, steps } of transcripts) {
    it(`${name}: ${description}`, () => {
      const records = new Map((config.store ?? []).map(({ key, valueHex }) => [key, key.startsWith('chkpt.') ? hex(renamedBlob(unhex(valueHex))) : valueHex]))
      const bench = new Bench({
        self: config.replicaId,
        size: config.N,
        options: optionsOf(config),
        restored: new Map([...records].map(([key, value]) => [key, unhex(value)])),
        metadata: encode(pbft.Metadata, { seqNo: config.headBlockSeqNo ?? 0 }),
      })
      for (const [index, { input, effects, state }] of steps.entries()) {
        const asked = feed(bench, input)
        for (const effect of effects) store(records, effect)
        const actual = {
          effects: asked.flatMap(emitted),
          records: content([...bench.records].map(([key, value]) => [key, hex(value)] as const)),
          ...stateOf(bench),
        }
        const expected = { effects: effects.flatMap(recorded), records: content(records), ...recordedState(state) }
        const where = `step ${index} ${input.type}`
        const deviation = deviations[name]?.[index]
        expect({ where, ...actual }, where).toEqual({ where, ...expected, ...deviation?.(expected) })
      }
    })
  }
})
