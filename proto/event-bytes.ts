import { lengthDelimited, lengthDelimitedFields } from './wire-parts.js'

const BLOCK_NON_HASH_DATA = 7
const NON_HASH_DATA_EVENTS = 2
const EVENT_BLOCK = 2
const EVENT_CHAINCODE = 3
const EVENT_REJECTION = 4
const EVENT_POSITION = 15
const REJECTION_TRANSACTION = 1
const REJECTION_ERROR = 2
const CHAINCODE_EVENT_CHAINCODE = 1
const CHAINCODE_EVENT_NAME = 3

const NOTHING = new Uint8Array(0)

/** A `protos.Event` of a serialised block, which enters it byte for byte. */
export function blockEventBytes(block: Uint8Array): Uint8Array {
  return lengthDelimited(EVENT_BLOCK, block)
}

/** A `protos.Event` of a serialised `protos.ChaincodeEvent`. */
export function chaincodeEventBytes(event: Uint8Array): Uint8Array {
  return lengthDelimited(EVENT_CHAINCODE, event)
}

/** A `protos.Event` of a serialised transaction that was rejected, and why. */
export function rejectionEventBytes(transaction: Uint8Array, errorMsg: string): Uint8Array {
  const text = errorMsg === '' ? NOTHING : lengthDelimited(REJECTION_ERROR, Buffer.from(errorMsg))
  return lengthDelimited(EVENT_REJECTION, lengthDelimited(REJECTION_TRANSACTION, transaction), text)
}

/** A `weft.PositionedEvent` of a serialised `protos.Event`. */
export function positionedEventBytes(event: Uint8Array, position: string): Uint8Array {
  return Buffer.concat([event, lengthDelimited(EVENT_POSITION, Buffer.from(position))])
}

/**
 * The serialised chaincode events of a canonical block: one element for each transaction that was executed for it, an empty one where there is
 * no event (spec/wire.md §3). Views of `block`. Throws WireError.
 */
export function blockChaincodeEvents(block: Uint8Array): Uint8Array[] {
  const events: Uint8Array[] = []
  for (const { number, from, to } of lengthDelimitedFields(block)) {
    if (number !== BLOCK_NON_HASH_DATA) continue
    const nonHashData = block.subarray(from, to)
    for (const field of lengthDelimitedFields(nonHashData)) if (field.number === NON_HASH_DATA_EVENTS) events.push(nonHashData.subarray(field.from, field.to))
  }
  return events
}

/** Whose event a serialised `protos.ChaincodeEvent` is, and its name. Throws WireError. */
export function chaincodeEventNames(event: Uint8Array): { readonly chaincodeID: string; readonly eventName: string } {
  let chaincodeID = ''
  let eventName = ''
  for (const { number, from, to } of lengthDelimitedFields(event)) {
    if (number === CHAINCODE_EVENT_CHAINCODE) chaincodeID = textOf(event, from, to)
    else if (number === CHAINCODE_EVENT_NAME) eventName = textOf(event, from, to)
  }
  return { chaincodeID, eventName }
}

function textOf(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString()
}
