import { describe, expect, it } from 'vitest'
import {
  ChaincodeDeploymentSpec,
  ChaincodeDeploymentSpec_ExecutionEnvironment,
  ChaincodeEvent,
  ChaincodeID,
  ChaincodeInput,
  ChaincodeInvocationSpec,
  ChaincodeMessage,
  ChaincodeMessage_Type,
  ChaincodeSpec,
  ChaincodeSpec_Type,
  ConfidentialityLevel,
  decode,
  encode,
  type MessageType,
  NonHashData,
  RangeQueryState,
  RangeQueryStateClose,
  RangeQueryStateNext,
  RangeQueryStateResponse,
  Transaction,
  Transaction_Type,
  TransactionResult,
} from '../../proto/index.js'
import { fromHex, fromText, type JsonObject, type JsonTimestamp, vectorText, toHex, toTimestamp } from './vectors.js'

interface MessageFields {
  readonly timestamp?: JsonTimestamp
  readonly payloadHex?: string
  readonly txid?: string
  readonly securityContext?: {
    readonly callerCertHex?: string
    readonly callerSignHex?: string
    readonly payloadHex?: string
    readonly bindingHex?: string
    readonly metadataHex?: string
    readonly parentMetadataHex?: string
    readonly txTimestamp?: JsonTimestamp
  }
  readonly chaincodeEvent?: { readonly chaincodeID: string; readonly txID: string; readonly eventName: string; readonly payloadHex: string }
}

interface MessageCase {
  readonly description: string
  readonly typeNumber: number
  readonly type: keyof typeof ChaincodeMessage_Type
  readonly fields: MessageFields
  readonly hex: string
}

const bytes = (hex = '') => fromHex(hex)
const time = (timestamp?: JsonTimestamp) => (timestamp ? toTimestamp(timestamp) : undefined)

function chaincodeMessage({ type, fields }: MessageCase): ChaincodeMessage {
  const { securityContext: context, chaincodeEvent: event } = fields
  return {
    type: ChaincodeMessage_Type[type],
    timestamp: time(fields.timestamp),
    payload: bytes(fields.payloadHex),
    txid: fields.txid ?? '',
    securityContext: context && {
      callerCert: bytes(context.callerCertHex),
      callerSign: bytes(context.callerSignHex),
      payload: bytes(context.payloadHex),
      binding: bytes(context.bindingHex),
      metadata: bytes(context.metadataHex),
      parentMetadata: bytes(context.parentMetadataHex),
      txTimestamp: time(context.txTimestamp),
    },
    chaincodeEvent: event && { chaincodeID: event.chaincodeID, txID: event.txID, eventName: event.eventName, payload: bytes(event.payloadHex) },
  }
}

const { cases: messages }: { cases: MessageCase[] } = JSON.parse(vectorText('chaincode/messages'))

describe('ChaincodeMessage', () => {
  it('has 41 golden cases', () => expect(messages).toHaveLength(41))

  it.each(messages)('has its golden bytes: $description', (golden) => {
    const message = chaincodeMessage(golden)
    expect(message.type).toBe(golden.typeNumber)
    expect(toHex(encode(ChaincodeMessage, message))).toBe(golden.hex)
    expect(decode(ChaincodeMessage, fromHex(golden.hex))).toEqual(message)
  })
})

const TYPES: Readonly<Record<string, (hex: string) => [JsonObject, string]>> = Object.fromEntries([
  describeMessage('ChaincodeID', ChaincodeID, (m) => ({ name: m.name, path: m.path })),
  describeMessage('ChaincodeInput', ChaincodeInput, (m) => ({ argsHex: m.args.map(toHex) })),
  describeMessage('ChaincodeSpec', ChaincodeSpec, specFields),
  describeMessage('ChaincodeDeploymentSpec', ChaincodeDeploymentSpec, (m) => ({
    chaincodeSpec: 'minimal spec',
    codePackageHex: toHex(m.codePackage),
    effectiveDate: timeFields(m.effectiveDate),
    execEnv: m.execEnv === ChaincodeDeploymentSpec_ExecutionEnvironment.DOCKER ? '' : ChaincodeDeploymentSpec_ExecutionEnvironment[m.execEnv],
  })),
  describeMessage('ChaincodeInvocationSpec', ChaincodeInvocationSpec, (m) => ({
    chaincodeSpec: m.idGenerationAlg ? 'as above' : m.chaincodeSpec && withoutDefaults(specFields(m.chaincodeSpec)),
    idGenerationAlg: m.idGenerationAlg,
  })),
  describeMessage('Transaction', Transaction, (m) => ({
    type: Transaction_Type[m.type],
    typeNumber: m.type,
    chaincodeIDHex: toHex(m.chaincodeID),
    payloadHex: toHex(m.payload),
    metadataHex: toHex(m.metadata),
    txid: m.txid,
    timestamp: timeFields(m.timestamp),
    confidentialityLevel: levelName(m.confidentialityLevel),
    confidentialityProtocolVersion: m.confidentialityProtocolVersion,
    nonceHex: toHex(m.nonce),
    toValidatorsHex: toHex(m.toValidators),
    certHex: toHex(m.cert),
    signatureHex: toHex(m.signature),
  })),
  describeMessage('TransactionResult', TransactionResult, (m) => ({ txid: m.txid, errorCode: m.errorCode, error: m.error })),
  describeMessage('ChaincodeEvent', ChaincodeEvent, (m) => ({
    chaincodeID: m.chaincodeID,
    txID: m.txID,
    eventName: m.eventName,
    payloadHex: toHex(m.payload),
  })),
  describeMessage('NonHashData', NonHashData, (m) => ({
    chaincodeEvents: m.chaincodeEvents.map((event) => (event.eventName === '' ? 'empty' : 'event as above')),
    localLedgerCommitTimestamp: timeFields(m.localLedgerCommitTimestamp),
  })),
])

/** Decodes to the notation of the vectors, and encodes again. */
function describeMessage<T>(name: string, type: MessageType<T>, fieldsOf: (message: T) => JsonObject): [string, (hex: string) => [JsonObject, string]] {
  return [
    name,
    (hex) => {
      const message = decode(type, fromHex(hex))
      return [withoutDefaults(fieldsOf(message)), toHex(encode(type, message))]
    },
  ]
}

function specFields(spec: ChaincodeSpec): JsonObject {
  return {
    type: spec.type === ChaincodeSpec_Type.UNDEFINED ? '' : ChaincodeSpec_Type[spec.type],
    chaincodeID: spec.chaincodeID && withoutDefaults({ name: spec.chaincodeID.name, path: spec.chaincodeID.path }),
    ctorMsg: spec.ctorMsg && { argsHex: spec.ctorMsg.args.map(toHex) },
    timeout: spec.timeout,
    secureContext: spec.secureContext,
    confidentialityLevel: levelName(spec.confidentialityLevel),
    metadataHex: toHex(spec.metadata),
    attributes: spec.attributes.length > 0 ? spec.attributes : '',
  }
}

const levelName = (level: ConfidentialityLevel): string => (level === ConfidentialityLevel.PUBLIC ? '' : (ConfidentialityLevel[level] ?? ''))
const timeFields = (timestamp: { seconds: bigint; nanos: number } | undefined) => timestamp && { seconds: Number(timestamp.seconds), nanos: timestamp.nanos }
const withoutDefaults = (fields: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '' && value !== 0 && value !== undefined))

interface Encoding {
  readonly description: string
  readonly message: string
  readonly hex: string
  readonly fields: JsonObject
}

const { encodings: transactionEncodings }: { encodings: Encoding[] } = JSON.parse(vectorText('chaincode/transactions'))

describe('deploy, invoke and query', () => {
  it.each(transactionEncodings)('$message has its golden bytes: $description', ({ message, hex, fields }) => {
    expect(TYPES[message]?.(hex)).toEqual([fields, hex])
  })
})

interface RangeEncoding {
  readonly description: string
  readonly message: string
  readonly hex: string
  readonly startKey?: string
  readonly endKey?: string
  readonly ID?: string
  readonly hasMore?: boolean
  readonly keysAndValues?: readonly { readonly keyHex: string; readonly valueHex: string }[]
}

function encodeRange({ message, startKey = '', endKey = '', ID = '', hasMore = false, keysAndValues = [] }: RangeEncoding): Uint8Array {
  switch (message) {
    case 'RangeQueryState':
      return encode(RangeQueryState, { startKey: fromText(startKey), endKey: fromText(endKey) })
    case 'RangeQueryStateNext':
      return encode(RangeQueryStateNext, { ID })
    case 'RangeQueryStateClose':
      return encode(RangeQueryStateClose, { ID })
    default:
      return encode(RangeQueryStateResponse, {
        keysAndValues: keysAndValues.map(({ keyHex, valueHex }) => ({ key: fromHex(keyHex), value: fromHex(valueHex) })),
        hasMore,
        ID,
      })
  }
}

describe('range queries', () => {
  const { encodings }: { encodings: RangeEncoding[] } = JSON.parse(vectorText('chaincode/range-query'))

  it.each(encodings)('$message has its golden bytes: $description', (encoding) => {
    expect(toHex(encodeRange(encoding))).toBe(encoding.hex)
  })

  it.each(encodings.filter(({ message }) => message === 'RangeQueryStateResponse'))('are read back exactly: $description', ({ hex }) => {
    expect(toHex(encode(RangeQueryStateResponse, decode(RangeQueryStateResponse, fromHex(hex))))).toBe(hex)
  })
})
