import { encodeHello } from '../../plugins/network/hello.js'
import { encodeMessage } from '../../plugins/network/messages.js'
import {
  decode,
  encode,
  type Message,
  Message_Type,
  PeerEndpoint,
  PeerEndpoint_Type,
  SyncBlockRange,
  SyncBlocks,
  SyncStateDeltas,
  SyncStateDeltasRequest,
  SyncStateSnapshot,
  SyncStateSnapshotRequest,
} from '../../proto/index.js'
import { encodeDelta, splitCompositeKey, StateDelta } from '../../plugins/ledger/index.js'
import { EMPTY_LEDGER, type TransferPeer } from './transfer-world.js'
import type { StreamEnd, World } from './world.js'

/** How somebody that a test speaks for answers a request. */
export type Answer = (request: Message, say: (type: Message_Type, payload: Uint8Array) => void, end: StreamEnd) => void

/** Somebody who says that it is an original validator and answers requests as a test wants; `asked` are the requests that came. */
export async function scripted(world: World, to: TransferPeer, id: string, answer: Answer) {
  const { end } = world.script(to)
  const asked: Message[] = []
  end.listen({
    drain: () => undefined,
    closed: () => undefined,
    message(message) {
      if ([Message_Type.SYNC_GET_BLOCKS, Message_Type.SYNC_STATE_GET_DELTAS, Message_Type.SYNC_STATE_GET_SNAPSHOT].includes(message.type)) {
        asked.push(message)
        answer(message, (type, payload) => void end.write(encodeMessage(type, payload)), end)
      } else if (message.type === Message_Type.DISC_GET_PEERS) end.write(encodeMessage(Message_Type.DISC_PEERS))
    },
  })
  const endpoint = PeerEndpoint.fromPartial({ ID: { name: id }, address: `${id}:1`, type: PeerEndpoint_Type.VALIDATOR })
  end.write(encodeMessage(Message_Type.DISC_HELLO, encodeHello(endpoint, EMPTY_LEDGER, undefined)))
  await world.run(10)
  return { asked, end }
}

/** A reply with any bytes in the place of a block. */
export function withBlock(range: SyncBlockRange, block: Uint8Array): Uint8Array {
  const length: number[] = []
  let rest = block.length
  for (; rest > 0x7f; rest >>= 7) length.push((rest & 0x7f) | 0x80)
  return Buffer.concat([encode(SyncBlocks, { range, blocks: [] }), Buffer.from([0x12, ...length, rest]), block])
}

/** What an original serves of a ledger, in its order and sizes. */
export function serveAs(
  ledger: TransferPeer['ledger'],
  change: (type: Message_Type, number: bigint, bytes: Uint8Array) => Uint8Array | undefined = (_type, _number, bytes) => bytes,
  hasSnapshot = false,
) {
  return (request: Message, say: (type: Message_Type, payload: Uint8Array) => void): void => {
    const each = ({ start, end }: SyncBlockRange, take: (number: bigint) => void): void => {
      const step = start <= end ? 1n : -1n
      for (let number = start; (end - number) * step >= 0n; number += step) if (number < ledger.height()) take(number)
    }
    if (request.type === Message_Type.SYNC_GET_BLOCKS) {
      const range = decode(SyncBlockRange, request.payload)
      each(range, (number) => {
        const block = change(Message_Type.SYNC_BLOCKS, number, ledger.blockBytes(number) ?? new Uint8Array(0))
        if (block) say(Message_Type.SYNC_BLOCKS, withBlock({ ...range, start: number, end: number }, block))
      })
    } else if (request.type === Message_Type.SYNC_STATE_GET_SNAPSHOT && hasSnapshot) {
      void sendSnapshot(ledger, decode(SyncStateSnapshotRequest, request.payload), (payload) => say(Message_Type.SYNC_STATE_SNAPSHOT, payload))
    } else if (request.type === Message_Type.SYNC_STATE_GET_DELTAS) {
      const { range = SyncBlockRange.fromPartial({}) } = decode(SyncStateDeltasRequest, request.payload)
      each(range, (number) => {
        const delta = change(Message_Type.SYNC_STATE_DELTAS, number, ledger.stateDelta(number) ?? new Uint8Array(0))
        if (delta) say(Message_Type.SYNC_STATE_DELTAS, encode(SyncStateDeltas, { range: { ...range, start: number, end: number }, deltas: [delta] }))
      })
    }
  }
}

async function sendSnapshot(ledger: TransferPeer['ledger'], request: SyncStateSnapshotRequest, say: (payload: Uint8Array) => void): Promise<void> {
  const { block: blockNumber, entries, release } = ledger.stateSnapshot()
  let sequence = 0n
  for await (const [compositeKey, value] of entries) {
    const { chaincode, key } = splitCompositeKey(compositeKey)
    const delta = new StateDelta()
    delta.set(chaincode, key, value, undefined)
    say(encode(SyncStateSnapshot, { delta: encodeDelta(delta), sequence: sequence++, blockNumber, request }))
  }
  say(encode(SyncStateSnapshot, { delta: new Uint8Array(0), sequence, blockNumber, request }))
  await release()
}
