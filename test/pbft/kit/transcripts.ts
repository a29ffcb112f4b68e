import { readFileSync } from 'node:fs'
import { BlockchainInfo, decode, encode, pbft } from '../../../proto/index.js'
import { fromBase64, toBase64 } from '../../../plugins/pbft/messages.js'

export type Integer = number | string

export interface JsonRequest {
  readonly timestamp: { readonly seconds: Integer; readonly nanos: number } | null | string
  readonly payloadHex: string
  readonly replicaId: Integer
  readonly signatureHex: string
}

export interface JsonPQ {
  readonly sequenceNumber: Integer
  readonly batchDigest: string
  readonly view: Integer
}

/** A message by its fields. */
export interface JsonMessage {
  readonly type?: string
  readonly view?: Integer
  readonly sequenceNumber?: Integer
  readonly batchDigest?: string
  readonly replicaId?: Integer
  readonly requestBatch?: readonly JsonRequest[] | null
  readonly id?: string
  readonly h?: Integer
  readonly cset?: readonly { readonly sequenceNumber: Integer; readonly id: string }[]
  readonly pset?: readonly JsonPQ[]
  readonly qset?: readonly JsonPQ[]
  readonly signatureHex?: string
  readonly vset?: readonly JsonMessage[]
  readonly xset?: readonly { readonly sequenceNumber: Integer; readonly batchDigest: string }[]
}

export interface JsonEffect {
  readonly message?: JsonMessage
  readonly op: string
  readonly pbftMessageHex?: string
  readonly batchMessageHex?: string
  readonly batchMessage?: string
  readonly to?: number
  readonly seqNo?: number
  readonly digest?: string
  readonly idHex?: string
  readonly replicas?: readonly number[]
  readonly key?: string
  readonly valueHex?: string
  readonly targetHeight?: number
  readonly targetHashHex?: string
  readonly tagHex?: string
  readonly metadataHex?: string
  readonly txids?: readonly string[]
  readonly request?: JsonRequest
}

export interface JsonInput {
  readonly type: string
  readonly from?: number | string
  readonly pbftMessageHex?: string
  readonly batchMessageHex?: string
  readonly idHex?: string
  readonly seqNo?: number
  readonly success?: boolean
  readonly batch?: readonly JsonRequest[]
  readonly stateBlobHex?: string
  readonly timer?: string
  readonly tagHex?: string
  readonly transactionHex?: string
  readonly note?: string
}

export interface JsonStep {
  readonly input: JsonInput
  readonly effects: readonly JsonEffect[]
  readonly timers?: readonly JsonEffect[]
  readonly state: Readonly<Record<string, unknown>>
  readonly fatal?: boolean
}

export interface JsonConfig {
  readonly K: number
  readonly N: number
  readonly f: number
  readonly replicaId: number
  readonly logMultiplier: number
  readonly batchSize?: number
  readonly headBlockSeqNo?: number
  readonly store?: readonly { readonly key: string; readonly valueHex: string }[]
  readonly timeoutsMs: {
    readonly nullRequest: number
    readonly request: number
    readonly resendViewChange: number
    readonly viewChange: number
    readonly batch?: number
  }
  readonly viewChangePeriod?: number
}

export interface Transcript {
  readonly name: string
  readonly description: string
  readonly config: JsonConfig
  readonly steps: readonly JsonStep[]
}

/** The text of a file of vectors; the caller parses it and states its shape. */
export function vectorText(name: string): string {
  return readFileSync(new URL(`../../vectors/consensus/${name}.json`, import.meta.url), 'utf8')
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))

/**
 * The core's transcripts name checkpoints by ASCII texts, which are no chain info and so can be no transfer target. Here they are chain infos
 * whose hash is that text; everything else of a message is left as it is.
 */
export function renamedBlob(blob: Uint8Array): Uint8Array {
  return encode(BlockchainInfo, { height: 1n, currentBlockHash: blob, previousBlockHash: new Uint8Array() })
}

export function renamedId(id: string): string {
  const blob = fromBase64(id)
  return blob ? toBase64(renamedBlob(blob)) : id
}

export function renamedMessage(bytes: Uint8Array): Uint8Array {
  const { payload } = decode(pbft.Message, bytes)
  const viewChange = (value: pbft.ViewChange): pbft.ViewChange => ({ ...value, cset: value.cset.map((entry) => ({ ...entry, id: renamedId(entry.id) })) })
  if (payload?.$case === 'checkpoint') return encode(pbft.Message, { payload: { ...payload, value: { ...payload.value, id: renamedId(payload.value.id) } } })
  if (payload?.$case === 'viewChange') return encode(pbft.Message, { payload: { ...payload, value: viewChange(payload.value) } })
  if (payload?.$case !== 'newView') return bytes
  return encode(pbft.Message, { payload: { ...payload, value: { ...payload.value, vset: payload.value.vset.map(viewChange) } } })
}

export const inBatchMessage = (pbftMessage: Uint8Array): Uint8Array => encode(pbft.BatchMessage, { payload: { $case: 'pbftMessage', value: pbftMessage } })

export function toRequest({ timestamp, payloadHex, replicaId, signatureHex }: JsonRequest): pbft.Request {
  if (typeof timestamp === 'string') throw new TypeError(`expected a recorded time, found ${timestamp}`)
  return {
    timestamp: timestamp ? { seconds: BigInt(timestamp.seconds), nanos: timestamp.nanos } : undefined,
    payload: unhex(payloadHex),
    replicaId: BigInt(replicaId),
    signature: unhex(signatureHex),
  }
}

export function toViewChange({ view = 0, h = 0, cset = [], pset = [], qset = [], replicaId = 0, signatureHex = '' }: JsonMessage): pbft.ViewChange {
  const entry = (pq: JsonPQ) => ({ sequenceNumber: Number(pq.sequenceNumber), batchDigest: pq.batchDigest, view: Number(pq.view) })
  return {
    view: Number(view),
    h: Number(h),
    cset: cset.map(({ sequenceNumber, id }) => ({ sequenceNumber: Number(sequenceNumber), id })),
    pset: pset.map(entry),
    qset: qset.map(entry),
    replicaId: Number(replicaId),
    signature: unhex(signatureHex),
  }
}

/** A recorded message as the engine encodes it. */
export function toPayload(fields: JsonMessage): pbft.Payload {
  const { id = '', batchDigest = '', requestBatch, vset = [], xset = [] } = fields
  const [view, sequenceNumber, replicaId] = [Number(fields.view ?? 0), Number(fields.sequenceNumber ?? 0), Number(fields.replicaId ?? 0)]
  const { type = '' } = fields
  switch (type) {
    case 'checkpoint':
      return { $case: 'checkpoint', value: { sequenceNumber, replicaId, id } }
    case 'pre_prepare':
      return {
        $case: 'prePrepare',
        value: { view, sequenceNumber, batchDigest, requestBatch: requestBatch ? { batch: requestBatch.map(toRequest) } : undefined, replicaId },
      }
    case 'prepare':
    case 'commit':
      return { $case: type, value: { view, sequenceNumber, batchDigest, replicaId } }
    case 'view_change':
      return { $case: 'viewChange', value: toViewChange(fields) }
    case 'new_view':
      return {
        $case: 'newView',
        value: { view, vset: vset.map(toViewChange), xset: xset.map((entry) => ({ key: BigInt(entry.sequenceNumber), value: entry.batchDigest })), replicaId },
      }
    default:
      throw new TypeError(`unknown message ${type}`)
  }
}

export function optionsOf({ K, N, f, logMultiplier, batchSize = 1, timeoutsMs, viewChangePeriod = 0 }: JsonConfig): Record<string, unknown> {
  return {
    N,
    f,
    K,
    logmultiplier: logMultiplier,
    batchsize: batchSize,
    batching: 'fixed',
    viewchangeperiod: viewChangePeriod,
    'timeout.batch': `${timeoutsMs.batch ?? 1000}ms`,
    'timeout.request': `${timeoutsMs.request}ms`,
    'timeout.viewchange': `${timeoutsMs.viewChange}ms`,
    'timeout.resendviewchange': `${timeoutsMs.resendViewChange}ms`,
    'timeout.nullrequest': `${timeoutsMs.nullRequest}ms`,
  }
}
