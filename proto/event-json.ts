import { BLOCK_JSON, CHAINCODE_EVENT_JSON, type JsonMessage, JsonWriter, REJECTION_JSON, writeJsonMessage } from './json/index.js'
import { lengthDelimitedFields } from './wire-parts.js'

const MEMBERS: Readonly<Record<number, JsonMessage>> = { 2: BLOCK_JSON, 3: CHAINCODE_EVENT_JSON, 4: REJECTION_JSON }

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
    writeJsonMessage(writer, event.subarray(from, to), member)
    return writer.finish()
  }
  return Buffer.from('{}')
}
