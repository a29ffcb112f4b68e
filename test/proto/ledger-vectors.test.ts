import { describe, expect, it } from 'vitest'
import {
  Block,
  BlockchainInfo,
  BlockState,
  decode,
  encode,
  type MessageType,
  Message,
  Message_Type,
  SyncBlockRange,
  SyncBlocks,
  SyncStateDeltas,
  SyncStateDeltasRequest,
  SyncStateSnapshotRequest,
} from '../../proto/index.js'
import { fromHex, vectorText, toHex } from './vectors.js'

interface BlockchainInfoCase {
  readonly height: number
  readonly currentBlockHashHex: string | null
  readonly previousBlockHashHex: string | null
  readonly marshalledHex: string
  readonly base64: string
}

interface SyncMessage {
  readonly note: string
  readonly type: keyof typeof Message_Type
  readonly typeNumber: number
  readonly payloadHex: string
  readonly messageHex: string
}

const { cases: infos }: { cases: BlockchainInfoCase[] } = JSON.parse(vectorText('ledger/blockchain_info'))
const { messages: syncMessages }: { messages: SyncMessage[] } = JSON.parse(vectorText('ledger/sync_messages'))

describe('BlockchainInfo', () => {
  it.each(infos)('of height $height has its golden bytes and checkpoint id', ({ height, currentBlockHashHex, previousBlockHashHex, marshalledHex, base64 }) => {
    const info = { height: BigInt(height), currentBlockHash: fromHex(currentBlockHashHex ?? ''), previousBlockHash: fromHex(previousBlockHashHex ?? '') }
    expect(toHex(encode(BlockchainInfo, info))).toBe(marshalledHex)
    expect(Buffer.from(encode(BlockchainInfo, info)).toString('base64')).toBe(base64)
    expect(decode(BlockchainInfo, fromHex(marshalledHex))).toEqual(info)
  })
})

const reencode = <T>(type: MessageType<T>, hex: string): string => toHex(encode(type, decode(type, fromHex(hex))))

function reencodePayload(typeName: string, hex: string): string {
  switch (typeName) {
    case 'SYNC_GET_BLOCKS':
      return reencode(SyncBlockRange, hex)
    case 'SYNC_BLOCKS':
      return reencode(SyncBlocks, hex)
    case 'SYNC_BLOCK_ADDED':
      return reencode(BlockState, hex)
    case 'SYNC_STATE_GET_SNAPSHOT':
      return reencode(SyncStateSnapshotRequest, hex)
    case 'SYNC_STATE_GET_DELTAS':
      return reencode(SyncStateDeltasRequest, hex)
    case 'SYNC_STATE_DELTAS':
      return reencode(SyncStateDeltas, hex)
    default:
      throw new Error(`the vectors hold a message type that this test does not know: ${typeName}`)
  }
}

describe('state transfer', () => {
  it.each(syncMessages)('$type keeps its golden bytes: $note', ({ type, typeNumber, payloadHex, messageHex }) => {
    expect(Message_Type[type]).toBe(typeNumber)
    expect(reencodePayload(type, payloadHex)).toBe(payloadHex)
    const message = Message.fromPartial({ type: Message_Type[type], payload: fromHex(payloadHex) })
    expect(toHex(encode(Message, message))).toBe(messageHex)
    expect(decode(Message, fromHex(messageHex))).toEqual(message)
  })

  it('asks for blocks 7 down to 1', () => {
    expect(toHex(encode(SyncBlockRange, { correlationId: 2n, start: 7n, end: 1n }))).toBe('080210071801')
  })

  it('writes an all-default block of a list as an empty element', () => {
    expect(toHex(encode(SyncBlocks, SyncBlocks.fromPartial({ blocks: [Block.fromPartial({})] })))).toBe('1200')
  })
})
