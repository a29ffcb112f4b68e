import { BLOCK, CHAINCODE_EVENT, type JsonMessage, REJECTION, writeMessage } from './json/messages.js'
import { JsonWriter } from './json/writer.js'
import { lengthDelimitedFields } from './wire-parts.js'

const MEMBERS: Readonly<Record<number, JsonMessage>> = { 2: BLOCK, 3: CHAINCODE_EVENT, 4: REJECTION }

/**
 * The block, chaincode event or rejection in a canonical `protos.Event` as JSON in the form of v0.6 (spec/node.md §6.2); `{}` if there is none of these.
 *
 * @throws WireError if the bytes are damaged
 */
export function eventJson(event: Uint8Array): Buffer {
  const writer = new JsonWriter()
  for (const { number, from, to } of lengthDelimitedFields(event)) {
    const member = MEMBERS[number]
    if (member === undefined) continue
    writeMessage(writer, event.subarray(from, to), member)
    return writer.finish()
  }
  return Buffer.from('{}')
}
