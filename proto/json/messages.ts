import { Cursor } from '../cursor.js'
import type { JsonWriter } from './writer.js'

type Scalar = 'bytes' | 'string' | 'uint' | 'int'

interface JsonField {
  readonly name: string
  /** `"name":`, as bytes. */
  readonly label: Buffer
  readonly kind: Scalar | JsonMessage
  readonly isRepeated: boolean
}

/** How a message is shown as JSON: by field number. */
export interface JsonMessage {
  readonly fields: readonly (JsonField | undefined)[]
}

function message(fields: Readonly<Record<number, readonly [name: string, kind: Scalar | JsonMessage, repeated?: 'repeated']>>): JsonMessage {
  const list: (JsonField | undefined)[] = []
  for (const [number, [name, kind, repeated]] of Object.entries(fields)) {
    list[Number(number)] = { name, label: Buffer.from(`"${name}":`), kind, isRepeated: repeated !== undefined }
  }
  return { fields: list }
}

const TIMESTAMP = message({ 1: ['seconds', 'int'], 2: ['nanos', 'int'] })

export const TRANSACTION_JSON = message({
  1: ['type', 'int'],
  2: ['chaincodeID', 'bytes'],
  3: ['payload', 'bytes'],
  4: ['metadata', 'bytes'],
  5: ['txid', 'string'],
  6: ['timestamp', TIMESTAMP],
  7: ['confidentialityLevel', 'int'],
  8: ['confidentialityProtocolVersion', 'string'],
  9: ['nonce', 'bytes'],
  10: ['toValidators', 'bytes'],
  11: ['cert', 'bytes'],
  12: ['signature', 'bytes'],
})

export const CHAINCODE_EVENT_JSON = message({ 1: ['chaincodeID', 'string'], 2: ['txID', 'string'], 3: ['eventName', 'string'], 4: ['payload', 'bytes'] })

export const BLOCK_JSON = message({
  1: ['version', 'uint'],
  2: ['timestamp', TIMESTAMP],
  3: ['transactions', TRANSACTION_JSON, 'repeated'],
  4: ['stateHash', 'bytes'],
  5: ['previousBlockHash', 'bytes'],
  6: ['consensusMetadata', 'bytes'],
  7: ['nonHashData', message({ 1: ['localLedgerCommitTimestamp', TIMESTAMP], 2: ['chaincodeEvents', CHAINCODE_EVENT_JSON, 'repeated'] })],
})

export const REJECTION_JSON = message({ 1: ['tx', TRANSACTION_JSON], 2: ['errorMsg', 'string'] })

export const BLOCKCHAIN_INFO_JSON = message({ 1: ['height', 'uint'], 2: ['currentBlockHash', 'bytes'], 3: ['previousBlockHash', 'bytes'] })

export const PEERS_MESSAGE_JSON = message({
  1: ['peers', message({ 1: ['ID', message({ 1: ['name', 'string'] })], 2: ['address', 'string'], 3: ['type', 'int'], 4: ['pkiID', 'bytes'] }), 'repeated'],
})

const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const COMMA = 0x2c

/**
 * Writes canonical bytes of a message as the JSON of spec/node.md §6.2, without decoding it: canonical bytes hold no defaults and their fields stand in the
 * order of the members.
 *
 * @throws WireError if the bytes are damaged
 */
export function writeJsonMessage(writer: JsonWriter, bytes: Uint8Array, shown: JsonMessage): void {
  writeFields(writer, new Cursor(bytes), shown)
}

function writeFields(writer: JsonWriter, cursor: Cursor, { fields }: JsonMessage): void {
  let open: JsonField | undefined
  let isFirst = true
  writer.byte(OPEN_BRACE)
  while (cursor.position < cursor.limit) {
    const field = fields[cursor.fieldNumber()]
    if (field === undefined) {
      cursor.skip(cursor.low & 7)
      continue
    }
    if (open !== undefined && open !== field) writer.byte(CLOSE_BRACKET)
    if (!isFirst) writer.byte(COMMA)
    isFirst = false
    if (open !== field) {
      writer.raw(field.label)
      if (field.isRepeated) writer.byte(OPEN_BRACKET)
    }
    open = field.isRepeated ? field : undefined
    writeValue(writer, cursor, field.kind)
  }
  if (open !== undefined) writer.byte(CLOSE_BRACKET)
  writer.byte(CLOSE_BRACE)
}

function writeValue(writer: JsonWriter, cursor: Cursor, kind: Scalar | JsonMessage): void {
  if (kind === 'uint' || kind === 'int') {
    cursor.varint()
    if (kind === 'uint') writer.uint64(cursor.low, cursor.high)
    else writer.int64(cursor.low, cursor.high)
    return
  }
  const end = cursor.lengthDelimitedEnd()
  if (kind === 'bytes') writer.base64(cursor.bytes, cursor.position, end)
  else if (kind === 'string') writer.text(cursor.bytes, cursor.position, end)
  else {
    const limit = cursor.limit
    cursor.limit = end
    writeFields(writer, cursor, kind)
    cursor.limit = limit
  }
  cursor.position = end
}
