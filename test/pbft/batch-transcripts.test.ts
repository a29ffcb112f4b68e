import { describe, expect, it } from 'vitest'
import { decode, encode, pbft, Transaction } from '../../proto/index.js'
import { shake256Base64 as digestOf } from '../../plugins/consensus/index.js'
import { toEngineRequest } from '../../plugins/pbft/messages.js'
import { begin } from '../../plugins/pbft/engine.js'
import { type Asked, Bench, headNamed } from './kit/bench.js'
import type { Deviation, Expected } from './kit/deviations.js'
import { hex, type JsonEffect, type JsonInput, optionsOf, vectorText, toPayload, type Transcript, unhex } from './kit/transcripts.js'

const { transcripts }: { transcripts: Transcript[] } = JSON.parse(vectorText('batch-transcripts'))

const requestDigest = (request: pbft.Request): string => digestOf(encode(pbft.Request, request))
const txids = (requests: readonly { readonly bytes: Uint8Array }[]): string[] => requests.map(({ bytes }) => decode(Transaction, bytes).txid)

/** What the original keeps in its store but this engine does not (§15), by transcript and step. Everything else is as it was recorded. */
const deviations: Readonly<Record<string, Readonly<Record<number, Deviation>>>> = {
  // W18: the batch is not filled before the start-up transfer is over, but the request stays known; what is sent is the same.
  'primary-during-startup': {
    1: () => ({ pending: [], batchTimerRunning: false }),
    2: () => ({ outstanding: [digests(1)], pending: [digests(1)], newViewTimerRunning: true }),
    3: () => ({ outstanding: [digests(1), digests(3)], pending: [digests(1), digests(3)] }),
  },
  // W18: a request that comes twice is queued once, so that the batch of three is not full yet.
  'duplicate-request': { 4: () => ({ effects: [], batchTimerRunning: true, newViewTimerRunning: false, seqNo: 0 }) },
  // W2: who is no member is not heard, and crashes nobody.
  'ignored-batch-messages': { 5: noRequest, 6: noRequest, 7: noRequest },
  // W19: what counts is whether a request was executed, not whether its time is later: the third one was not, and is known from now on.
  'backup-request-lifecycle': {
    11: () => ({ outstanding: [digests(11)], newViewTimerRunning: true }),
    12: () => ({ outstanding: [digests(11), digests(12)], newViewTimerRunning: true }),
  },
  // W20: what holds no transaction is not stored, and so cannot stay for ever.
  'execute-with-bad-transaction': {
    2: () => ({ outstanding: [], newViewTimerRunning: false }),
    3: () => ({ outstanding: [digests(3)] }),
    4: () => ({ outstanding: [digests(3)] }),
    5: () => ({ outstanding: [digests(3)] }),
    6: () => ({ outstanding: [digests(3)] }),
    7: () => ({ outstanding: [] }),
    8: () => ({ outstanding: [] }),
    9: () => ({ outstanding: [], newViewTimerRunning: false }),
  },
}
function noRequest() {
  return { outstanding: [], newViewTimerRunning: false }
}
/** Request digests of the steps of the transcript that is replayed. */
let digests = (_step: number): string => ''

function feed(bench: Bench, { type, from = '', batchMessageHex = '', timer = '', transactionHex = '' }: JsonInput): Asked[] {
  const { engine, replica } = bench
  switch (type) {
    case 'start':
      return bench.run(() => begin(replica))
    case 'stateUpdated':
      return bench.transferred()
    case 'consensusMessage': {
      const member = /^vp(\d)$/.exec(String(from))?.[1]
      // The host hears members only.
      return member === undefined ? [] : bench.message(Number(member), unhex(batchMessageHex))
    }
    case 'chainTransaction': {
      const request = toEngineRequest(unhex(transactionHex))
      if (!request) throw new TypeError('expected a transaction')
      return bench.run(() => engine.onRequest(request))
    }
    case 'timer':
      return bench.fire(timer)
    case 'executed':
      return []
    case 'committed':
      return bench.delivered(String(replica.currentExec))
    default:
      throw new TypeError(`unknown input ${type}`)
  }
}

function recorded(effect: JsonEffect, bench: Bench): string[] {
  switch (effect.op) {
    case 'broadcast':
      if (effect.batchMessage === 'request' && effect.request) {
        const timestamp = { seconds: BigInt(bench.nowMs) / 1000n, nanos: 0 }
        const own = { timestamp, payload: unhex(effect.request.payloadHex), replicaId: BigInt(effect.request.replicaId), signature: new Uint8Array() }
        return [`broadcast ${hex(pbft.encodeRequest(own))}`]
      }
      return [`broadcast ${hex(pbft.encodePayload(toPayload(effect.message ?? {})))}`]
    case 'execute':
      return [`deliver ${effect.tagHex} ${JSON.stringify(effect.txids)}`]
    case 'updateState':
      return [`transfer ${effect.targetHeight} ${effect.targetHashHex}`]
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
    case 'deliver':
      return [`deliver ${hex(asked.metadata ?? new Uint8Array())} ${JSON.stringify(txids(asked.requests))}`]
    case 'transfer':
      return [`transfer ${asked.target.height} ${hex(asked.target.hash)}`]
    case 'valid':
      return [`valid ${asked.valid}`]
    case 'send':
    case 'forget':
    case 'halt':
      return [asked.op]
  }
  return []
}

function stateOf({ replica, timers }: Bench): Record<string, unknown> {
  const state = replica
  const requests = [...replica.book.all()]
  return {
    activeView: state.isActive,
    currentExec: state.currentExec === undefined ? null : state.currentExec,
    h: state.h,
    lastExec: state.lastExec,
    newViewTimerRunning: timers.has('newView'),
    outstanding: requests.map(({ content }) => requestDigest(content.request)),
    pending: requests.filter(({ isQueued }) => isQueued).map(({ content }) => requestDigest(content.request)),
    batchTimerRunning: timers.has('batch'),
    seqNo: state.seqNo,
    skipInProgress: state.isOutOfDate,
    view: state.view,
  }
}

describe("the original's transcripts of the batch engine, replayed", () => {
  for (const { name, description, config, steps } of transcripts) {
    it(`${name}: ${description}`, () => {
      const bench = new Bench({ self: config.replicaId, size: config.N, options: optionsOf(config), head: headNamed('GENESIS') })
      digests = (step) => {
        const { payload } = decode(pbft.BatchMessage, unhex(steps[step]?.input.batchMessageHex ?? ''))
        return payload?.$case === 'request' ? requestDigest(payload.value) : ''
      }
      for (const [index, { input, effects, state }] of steps.entries()) {
        const asked = feed(bench, input)
        const actual: Expected = { effects: asked.flatMap(emitted), ...stateOf(bench) }
        // The batch that is being filled is the batcher's own affair; the digest of an own request depends on the clock.
        const { batchStore: _store, ...rest } = state
        const expected = { currentExec: null, ...rest, effects: effects.flatMap((effect) => recorded(effect, bench)) }
        if (input.type === 'chainTransaction') Object.assign(expected, { outstanding: actual['outstanding'], pending: actual['pending'] })
        const where = `step ${index} ${input.type}`
        expect({ where, ...actual }, where).toEqual({ where, ...expected, ...deviations[name]?.[index]?.(expected) })
      }
    })
  }
})
