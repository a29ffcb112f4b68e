import { describe, expect, it } from 'vitest'
import { BlockState, decode, encode, Message, Message_Type, pbft, Transaction, TransactionBlock, WireError } from '../../proto/index.js'
import { fromHex, type JsonTimestamp, vectorText, toHex, toTimestamp } from './vectors.js'

type Integer = number | string

interface RequestFields {
  readonly timestamp: JsonTimestamp
  readonly payloadHex: string
  readonly replicaId: Integer
  readonly signatureHex: string
}

interface PQFields {
  readonly sequenceNumber: Integer
  readonly batchDigest: string
  readonly view: Integer
}

interface Fields {
  readonly type: string
  readonly view?: Integer
  readonly sequenceNumber?: Integer
  readonly replicaId?: Integer
  readonly batchDigest?: string
  readonly requestBatch?: readonly RequestFields[] | null
  readonly id?: string
  readonly h?: Integer
  readonly cset?: readonly { readonly sequenceNumber: Integer; readonly id: string }[]
  readonly pset?: readonly PQFields[]
  readonly qset?: readonly PQFields[]
  readonly signatureHex?: string
  readonly vset?: readonly Fields[]
  readonly xset?: readonly XsetFields[]
}

interface XsetFields {
  readonly sequenceNumber: Integer
  readonly batchDigest: string
}

const request = (fields: RequestFields): pbft.Request => ({
  timestamp: toTimestamp(fields.timestamp),
  payload: fromHex(fields.payloadHex),
  replicaId: BigInt(fields.replicaId),
  signature: fromHex(fields.signatureHex),
})
const batch = (requests: readonly RequestFields[]): pbft.RequestBatch => ({ batch: requests.map(request) })
const pq = ({ sequenceNumber, batchDigest, view }: PQFields) => ({ sequenceNumber: Number(sequenceNumber), batchDigest, view: Number(view) })
const xset = (entries: readonly XsetFields[]) => new Map(entries.map(({ sequenceNumber, batchDigest }) => [Number(sequenceNumber), batchDigest]))

const viewChange = ({ view = 0, h = 0, cset = [], pset = [], qset = [], replicaId = 0, signatureHex = '' }: Fields): pbft.ViewChange => ({
  view: Number(view),
  h: Number(h),
  cset: cset.map(({ sequenceNumber, id }) => ({ sequenceNumber: Number(sequenceNumber), id })),
  pset: pset.map(pq),
  qset: qset.map(pq),
  replicaId: Number(replicaId),
  signature: fromHex(signatureHex),
})

function payload(fields: Fields): pbft.Message['payload'] {
  const view = Number(fields.view ?? 0)
  const sequenceNumber = Number(fields.sequenceNumber ?? 0)
  const replicaId = Number(fields.replicaId ?? 0)
  const batchDigest = fields.batchDigest ?? ''
  const requests = batch(fields.requestBatch ?? [])
  switch (fields.type) {
    case 'request_batch':
      return { $case: 'requestBatch', value: requests }
    case 'pre_prepare':
      return { $case: 'prePrepare', value: { view, sequenceNumber, batchDigest, requestBatch: fields.requestBatch ? requests : undefined, replicaId } }
    case 'prepare':
      return { $case: 'prepare', value: { view, sequenceNumber, batchDigest, replicaId } }
    case 'commit':
      return { $case: 'commit', value: { view, sequenceNumber, batchDigest, replicaId } }
    case 'checkpoint':
      return { $case: 'checkpoint', value: { sequenceNumber, replicaId, id: fields.id ?? '' } }
    case 'view_change':
      return { $case: 'viewChange', value: viewChange(fields) }
    case 'new_view':
      return { $case: 'newView', value: { view, vset: (fields.vset ?? []).map(viewChange), xset: pbft.xsetEntries(xset(fields.xset ?? [])), replicaId } }
    case 'fetch_request_batch':
      return { $case: 'fetchRequestBatch', value: { batchDigest, replicaId } }
    case 'return_request_batch':
      return { $case: 'returnRequestBatch', value: requests }
    default:
      return undefined
  }
}

interface MessageCase {
  readonly description: string
  readonly fields: Fields
  readonly pbftMessageHex: string
  readonly batchMessageHex: string
  readonly peerMessageHex: string
}

interface XsetCase {
  readonly description?: string
  readonly newViewHex: string
  readonly decodesTo: readonly XsetFields[]
}

const vectors: { messages: MessageCase[]; newViewMapDecoding: XsetCase[]; newViewMapOrder: { accepted: XsetCase[] } } = JSON.parse(
  vectorText('consensus/messages'),
)

const onStream = (batchMessage: Uint8Array) => encode(Message, Message.fromPartial({ type: Message_Type.CONSENSUS, payload: batchMessage }))

describe('a pbft message', () => {
  it.each(vectors.messages)('has its golden bytes, alone and wrapped: $description', ({ fields, pbftMessageHex, batchMessageHex, peerMessageHex }) => {
    const message: pbft.Message = { payload: payload(fields) }
    const bytes = encode(pbft.Message, message)
    expect(toHex(bytes)).toBe(pbftMessageHex)
    expect(decode(pbft.Message, bytes)).toEqual(message)
    const wrapped = encode(pbft.BatchMessage, { payload: { $case: 'pbftMessage', value: bytes } })
    expect(toHex(wrapped)).toBe(batchMessageHex)
    expect(toHex(onStream(wrapped))).toBe(peerMessageHex)
  })
})

describe('the xset of a new view', () => {
  it.each([...vectors.newViewMapDecoding, ...vectors.newViewMapOrder.accepted])('decodes from $newViewHex', ({ newViewHex, decodesTo }) => {
    expect(pbft.xsetMap(decode(pbft.NewView, fromHex(newViewHex)).xset)).toEqual(xset(decodesTo))
  })

  it('is refused when an entry holds another field', () => {
    expect(() => decode(pbft.NewView, fromHex('08011a06080112001801'))).toThrow(WireError)
  })
})

interface Wrapping {
  readonly batchMessages: readonly {
    readonly description: string
    readonly batchMessageHex: string
    readonly peerMessageHex: string
    readonly request?: RequestFields
    readonly requestBatch?: readonly RequestFields[]
  }[]
  readonly chainTransaction: { readonly peerMessageHex: string; readonly timestamp: JsonTimestamp; readonly transactionHex: string }
  readonly noops: { readonly peerMessageHex: string; readonly transactionBlockHex: string; readonly transactionHex: string }
  readonly noopsBlockAdded: {
    readonly blockStateHex: string
    readonly peerMessageHex: string
    readonly timestamp: JsonTimestamp
    readonly stateDeltaHex: string
  }
  readonly pbftRequestFromTransaction: {
    readonly clock: JsonTimestamp
    readonly replicaId: number
    readonly requestHex: string
    readonly transactionHex: string
  }
}

const wrapping: Wrapping = JSON.parse(vectorText('consensus/wrapping'))

describe('what carries consensus messages', () => {
  it.each(wrapping.batchMessages)('keeps its golden bytes: $description', ({ batchMessageHex, peerMessageHex, request: single, requestBatch }) => {
    const message = decode(pbft.BatchMessage, fromHex(batchMessageHex))
    expect(toHex(encode(pbft.BatchMessage, message))).toBe(batchMessageHex)
    expect(toHex(onStream(fromHex(batchMessageHex)))).toBe(peerMessageHex)
    if (single) expect(message.payload?.value).toEqual(request(single))
    if (requestBatch) expect(message.payload?.value).toEqual(batch(requestBatch))
  })

  it('tells an empty pbft message from none', () => {
    expect(decode(pbft.BatchMessage, fromHex('1a00')).payload).toEqual({ $case: 'pbftMessage', value: new Uint8Array() })
    expect(decode(pbft.BatchMessage, fromHex('')).payload).toBeUndefined()
  })

  it('is a chain transaction within a peer', () => {
    const { peerMessageHex, timestamp, transactionHex } = wrapping.chainTransaction
    const message = Message.fromPartial({ type: Message_Type.CHAIN_TRANSACTION, timestamp: toTimestamp(timestamp), payload: fromHex(transactionHex) })
    expect(toHex(encode(Message, message))).toBe(peerMessageHex)
  })

  it('is a block of one transaction for noops', () => {
    const { peerMessageHex, transactionBlockHex, transactionHex } = wrapping.noops
    const block = encode(TransactionBlock, { transactions: [decode(Transaction, fromHex(transactionHex))] })
    expect(toHex(block)).toBe(transactionBlockHex)
    expect(toHex(decode(Message, fromHex(peerMessageHex)).payload)).toBe(transactionBlockHex)
  })

  it('is a block with its state delta when noops announces one', () => {
    const { blockStateHex, peerMessageHex, timestamp, stateDeltaHex } = wrapping.noopsBlockAdded
    const state = decode(BlockState, fromHex(blockStateHex))
    expect(toHex(state.stateDelta)).toBe(stateDeltaHex)
    const message = Message.fromPartial({ type: Message_Type.SYNC_BLOCK_ADDED, timestamp: toTimestamp(timestamp), payload: encode(BlockState, state) })
    expect(toHex(encode(Message, message))).toBe(peerMessageHex)
  })

  it('is a request of the accepting replica for pbft', () => {
    const { clock, replicaId, requestHex, transactionHex } = wrapping.pbftRequestFromTransaction
    const fields = { timestamp: toTimestamp(clock), payload: fromHex(transactionHex), replicaId: BigInt(replicaId) }
    expect(toHex(encode(pbft.Request, pbft.Request.fromPartial(fields)))).toBe(requestHex)
  })
})
