import {
  ChaincodeDeploymentSpec,
  type ChaincodeEvent,
  ChaincodeID,
  ChaincodeInvocationSpec,
  type ChaincodeSpec,
  ChaincodeSpec_Type,
  ConfidentialityLevel,
  decode,
  hex,
  type MessageType,
  Transaction,
  Transaction_Type,
  orUndefined,
} from '../../../proto/index.js'
import { escaped } from '../../terminal/index.js'
import { type JsonBytes, isoTime, jsonBytes, shown } from './shown.js'

/** A transaction as `--json` shows it (docs/guides/operators.md). */
export interface TransactionView {
  readonly txid: string
  /** `DEPLOY`, `INVOKE`, `QUERY`, `TERMINATE`, `UNDEFINED`, or a number. */
  readonly type: string
  readonly chaincode?: JsonBytes
  readonly args?: readonly JsonBytes[]
  readonly language?: string
  readonly path?: string
  readonly codePackageBytes?: number
  readonly timestamp?: string
  /** Why chaincode and arguments are missing. */
  readonly unreadable?: string
  readonly certificateBytes: number
  readonly bytes: number
  readonly events: readonly EventView[]
}

export interface EventView {
  readonly chaincode: string
  readonly txid: string
  readonly name: string
  readonly payload: JsonBytes
}

/** Reads a stored transaction for people, as far as it can be read: what validators agreed on may be encrypted, or nonsense. */
export function transactionView(bytes: Uint8Array, events: readonly ChaincodeEvent[]): TransactionView {
  const transaction = decode(Transaction, bytes)
  const { txid, type, timestamp, cert } = transaction
  return {
    txid,
    type: typeName(type),
    ...(timestamp ? { timestamp: isoTime(timestamp) } : {}),
    ...contents(transaction),
    certificateBytes: cert.length,
    bytes: bytes.length,
    events: events.map(eventView),
  }
}

export function eventView({ chaincodeID, txID, eventName, payload }: ChaincodeEvent): EventView {
  return { chaincode: chaincodeID, txid: txID, name: eventName, payload: jsonBytes(payload) }
}

/** One transaction in lines for people. */
export function transactionLines(bytes: Uint8Array, view: TransactionView): string[] {
  const spec = specOf(decode(Transaction, bytes))
  const lines = [`${view.type.padEnd(10)} ${escaped(view.txid)}`]
  if (view.timestamp !== undefined) lines.push(`  time        ${view.timestamp}`)
  if (view.chaincode !== undefined) lines.push(`  chaincode   ${escaped(textOf(view.chaincode))}${language(view)}`)
  if (spec) lines.push(...(spec.ctorMsg?.args ?? []).map((arg, index) => `  arg ${String(index).padEnd(7)} ${shown(arg)}`))
  if (view.codePackageBytes !== undefined) lines.push(`  code        ${view.codePackageBytes} bytes`)
  if (view.unreadable !== undefined) lines.push(`  contents    ${view.unreadable}`)
  if (view.certificateBytes > 0) lines.push(`  signed      with a certificate of ${view.certificateBytes} bytes`)
  return [...lines, ...view.events.map((event) => `  ${eventLine(event)}`)]
}

export function eventLine({ name, payload }: EventView): string {
  return `event       ${escaped(name)}: ${shown(typeof payload === 'string' ? Buffer.from(payload) : Buffer.from(payload.hex, 'hex'))}`
}

function language({ language, path }: TransactionView): string {
  return language === undefined ? '' : ` (${language}${path ? `, ${escaped(path)}` : ''})`
}

function textOf(bytes: JsonBytes): string {
  return typeof bytes === 'string' ? bytes : `0x${bytes.hex}`
}

const TYPES = new Map<number, string>([
  [Transaction_Type.UNDEFINED, 'UNDEFINED'],
  [Transaction_Type.CHAINCODE_DEPLOY, 'DEPLOY'],
  [Transaction_Type.CHAINCODE_INVOKE, 'INVOKE'],
  [Transaction_Type.CHAINCODE_QUERY, 'QUERY'],
  [Transaction_Type.CHAINCODE_TERMINATE, 'TERMINATE'],
])

function typeName(type: number): string {
  return TYPES.get(type) ?? String(type)
}

type Contents = Pick<TransactionView, 'chaincode' | 'args' | 'language' | 'path' | 'codePackageBytes' | 'unreadable'>

function contents(transaction: Transaction): Contents {
  if (transaction.confidentialityLevel === ConfidentialityLevel.CONFIDENTIAL) return { unreadable: `encrypted, ${transaction.payload.length} bytes` }
  const named = readable(ChaincodeID, transaction.chaincodeID)?.name
  const spec = specOf(transaction)
  const name = spec?.chaincodeID?.name || named
  const chaincode = name === undefined || name === '' ? {} : { chaincode: name }
  if (!spec) return { ...chaincode, unreadable: `no chaincode call, ${transaction.payload.length} bytes: 0x${hex(transaction.payload.subarray(0, 16))}` }
  return { ...chaincode, args: (spec.ctorMsg?.args ?? []).map(jsonBytes), ...deployment(transaction, spec) }
}

function deployment({ type, payload }: Transaction, { type: language, chaincodeID }: ChaincodeSpec): Contents {
  if (type !== Transaction_Type.CHAINCODE_DEPLOY) return {}
  const codePackageBytes = readable(ChaincodeDeploymentSpec, payload)?.codePackage.length ?? 0
  const path = chaincodeID?.path
  return { language: ChaincodeSpec_Type[language] ?? String(language), codePackageBytes, ...(path === undefined || path === '' ? {} : { path }) }
}

function specOf({ type, payload, confidentialityLevel }: Transaction): ChaincodeSpec | undefined {
  if (confidentialityLevel === ConfidentialityLevel.CONFIDENTIAL) return undefined
  const shape = type === Transaction_Type.CHAINCODE_DEPLOY ? ChaincodeDeploymentSpec : ChaincodeInvocationSpec
  return readable<{ chaincodeSpec: ChaincodeSpec | undefined }>(shape, payload)?.chaincodeSpec
}

function readable<T>(type: MessageType<T>, bytes: Uint8Array): T | undefined {
  return orUndefined(() => decode(type, bytes))
}
