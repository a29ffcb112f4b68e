import { ChaincodeMessage, ChaincodeMessage_Type as Type, RangeQueryStateResponse } from '../../../../proto/messages.js'
import { callFromMessage, outcomeMessage } from '../../api/call-message.js'
import { assertChaincode } from '../../api/chaincode.js'
import { messageOf } from '../../api/message-port.js'
import type { CallInfo } from '../../api/port.js'
import { runCall } from '../../api/run.js'
import type { Channel } from './channel.js'
import { BufferedPort, idOf } from './buffered-port.js'

/** Serves calls of a deployed chaincode over its pipe; the first frame that it sends is REGISTER. */
export function serveCalls(chaincode: unknown, channel: Channel): void {
  assertChaincode(chaincode, 'the default export')
  const ports = new Map<string, BufferedPort>()
  const foreseen = new Map<string, Map<string, Uint8Array>>()
  const send = (message: ChaincodeMessage) => channel.send(ChaincodeMessage.encode(message).finish())

  const run = async (call: CallInfo) => {
    const port = new BufferedPort((type, payload) => send(messageOf(type, call.txid, payload)), channel.maxFrameBytes, foreseen.get(call.txid))
    foreseen.delete(call.txid)
    ports.set(call.txid, port)
    const outcome = await runCall(chaincode, call, port, channel.host)
    port.flush()
    ports.delete(call.txid)
    send(outcomeMessage(call, outcome))
  }

  channel.receive((frame) => {
    // A plain view: a Buffer would give Buffers to the chaincode.
    const message = ChaincodeMessage.decode(new Uint8Array(frame.buffer, frame.byteOffset, frame.length))
    const call = callFromMessage(message)
    const port = ports.get(message.txid)
    if (call !== undefined) void run(call)
    else if (port !== undefined) port.reply(message)
    else foreseen.set(message.txid, entriesOf(message))
  })
  send(messageOf(Type.REGISTER, ''))
}

/** Values that the peer sends ahead of a call. */
function entriesOf({ payload }: ChaincodeMessage): Map<string, Uint8Array> {
  return new Map(RangeQueryStateResponse.decode(payload).keysAndValues.map(({ key, value }) => [idOf(key), value]))
}
