import { ChaincodeMessage, ChaincodeMessage_Type as T, decode, encode } from '../../proto/index.js'

/*
 * Nearly all traffic of a stream is messages of type, payload and txid alone, five round trips an invoke. They are read and written here
 * directly; everything else goes through the general codec. The bytes are the same (test/chaincode/fast-codec.test.ts).
 */

/** Types by number; they begin with 0 and have no gaps. */
const TYPES: readonly T[] = Object.values(T)
  .filter((type) => typeof type === 'number')
  .sort((a, b) => a - b)

const TYPE_TAG = 0x08
const PAYLOAD_TAG = 0x1a
const TXID_TAG = 0x22

/** Serialises a message that has no other fields. `type` is not UNDEFINED. */
export function writePlainMessage(type: T, txid: string, payload: Uint8Array): Uint8Array {
  const txidBytes = Buffer.byteLength(txid)
  const message = Buffer.allocUnsafe(2 + fieldSize(payload.length) + fieldSize(txidBytes))
  message[0] = TYPE_TAG
  message[1] = type
  let at = 2
  if (payload.length > 0) {
    at = writeHead(message, at, PAYLOAD_TAG, payload.length)
    message.set(payload, at)
    at += payload.length
  }
  if (txidBytes > 0) {
    at = writeHead(message, at, TXID_TAG, txidBytes)
    message.write(txid, at)
  }
  return message
}

/** Serialises any message that has a type. `timestamp` is never set, as on originals (spec/chaincode.md §2.1). */
export function writeMessage(message: ChaincodeMessage): Uint8Array {
  const { type, txid, payload, securityContext, chaincodeEvent } = message
  return securityContext === undefined && chaincodeEvent === undefined ? writePlainMessage(type, txid, payload) : encode(ChaincodeMessage, message)
}

/**
 * Reads a message. Its payload is a view of `bytes`.
 *
 * @throws WireError if the bytes are not a ChaincodeMessage
 */
export function readMessage(bytes: Buffer): ChaincodeMessage {
  const type = TYPES[bytes[1] ?? 0]
  if (bytes[0] !== TYPE_TAG || type === undefined || type === T.UNDEFINED) return decode(ChaincodeMessage, bytes)
  const reader = { bytes, at: 2 }
  const payload = readField(reader, PAYLOAD_TAG)
  const txid = readField(reader, TXID_TAG)
  if (payload === undefined || txid === undefined || reader.at !== bytes.length) return decode(ChaincodeMessage, bytes)
  return {
    type,
    timestamp: undefined,
    payload: new Uint8Array(payload.buffer, payload.byteOffset, payload.length),
    txid: txid.toString(),
    securityContext: undefined,
    chaincodeEvent: undefined,
  }
}

function fieldSize(length: number): number {
  if (length === 0) return 0
  let size = 2 + length
  for (let rest = length >>> 7; rest > 0; rest >>>= 7) size++
  return size
}

function writeHead(message: Buffer, start: number, tag: number, length: number): number {
  let at = start
  message[at++] = tag
  let rest = length
  for (; rest > 0x7f; rest >>>= 7) message[at++] = (rest & 0x7f) | 0x80
  message[at++] = rest
  return at
}

/** The contents of the field if it comes next, nothing if another one does, `undefined` if its length makes no sense here. */
function readField(reader: { readonly bytes: Buffer; at: number }, tag: number): Buffer | undefined {
  const { bytes } = reader
  if (bytes[reader.at] !== tag) return bytes.subarray(0, 0)
  let at = reader.at + 1
  let length = 0
  for (let shift = 0; shift <= 21; shift += 7) {
    const byte = bytes[at++]
    if (byte === undefined) return undefined
    length |= (byte & 0x7f) << shift
    if (byte > 0x7f) continue
    if (at + length > bytes.length) return undefined
    reader.at = at + length
    return bytes.subarray(at, at + length)
  }
  return undefined
}
