import { pbft } from '../../../proto/index.js'
import { type Batch, toBase64, toBatch } from '../../../plugins/pbft/messages.js'
import { makeTransaction } from '../../kit/index.js'
import { type Asked, type Bench, headNamed } from './bench.js'

/** Messages that other replicas send, as bytes. */

export function requestOf(name: string, replicaId = 1, seconds = 1_469_000_001n): pbft.Request {
  return { timestamp: { seconds, nanos: 0 }, payload: makeTransaction(name), replicaId: BigInt(replicaId), signature: new Uint8Array() }
}

export const batchOf = (...names: string[]): Batch => toBatch({ batch: names.map((name) => requestOf(name)) })

export const announce = (name: string, replicaId = 1): Uint8Array => pbft.encodeRequest(requestOf(name, replicaId))

export function prePrepare(n: number, batch: Batch | undefined, { view = 0, digest = batch?.digest ?? '' } = {}): Uint8Array {
  const value = { view, sequenceNumber: n, batchDigest: digest, requestBatch: batch?.message, replicaId: view % 4 }
  return pbft.encodePayload({ $case: 'prePrepare', value })
}

export function vote(kind: 'prepare' | 'commit', n: number, digest: string, from: number, view = 0): Uint8Array {
  return pbft.encodePayload({ $case: kind, value: { view, sequenceNumber: n, batchDigest: digest, replicaId: from } })
}

export const idOf = (name: string, height?: bigint): string => toBase64(headNamed(name, height).blob)

export function checkpoint(n: number, name: string, from: number, height?: bigint): Uint8Array {
  return pbft.encodePayload({ $case: 'checkpoint', value: { sequenceNumber: n, replicaId: from, id: idOf(name, height) } })
}

export function viewChangeOf(view: number, from: number, changes: Partial<pbft.ViewChange> = {}): pbft.ViewChange {
  const genesis = { sequenceNumber: 0, id: idOf('GENESIS') }
  return { view, h: 0, cset: [genesis], pset: [], qset: [], replicaId: from, signature: Buffer.from('SIGN'), ...changes }
}

export const viewChange = (view: number, from: number, changes: Partial<pbft.ViewChange> = {}): Uint8Array =>
  pbft.encodePayload({ $case: 'viewChange', value: viewChangeOf(view, from, changes) })

export function newView(view: number, vset: readonly pbft.ViewChange[], xset: readonly (readonly [n: number, digest: string])[], from = view % 4): Uint8Array {
  const value = { view, vset: [...vset], xset: xset.map(([n, value]) => ({ key: BigInt(n), value })), replicaId: from }
  return pbft.encodePayload({ $case: 'newView', value })
}

/** What was sent, by kind, in order. */
export function sent(asked: readonly Asked[]): pbft.Incoming[] {
  return asked.flatMap((effect) => (effect.op === 'broadcast' || effect.op === 'send' ? (pbft.decodeIncoming(effect.bytes) ?? []) : []))
}

export const kinds = (asked: readonly Asked[]): string[] => sent(asked).map(({ $case }) => $case)

/** Has the bench, a backup in view 0, order and execute a batch at a number. */
export function order(bench: Bench, n: number, batch: Batch, others: readonly number[] = [2, 3]): Asked[] {
  const asked = [...bench.message(0, prePrepare(n, batch))]
  for (const from of others) asked.push(...bench.message(from, vote('prepare', n, batch.digest, from)))
  for (const from of [0, ...others]) asked.push(...bench.message(from, vote('commit', n, batch.digest, from)))
  return [...asked, ...bench.delivered(String(n))]
}
