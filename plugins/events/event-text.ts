import { eventJson } from '../../proto/index.js'
import { escaped } from '../terminal/index.js'
import type { FollowedEvent } from './event-stream.js'

const MAX_SHOWN_BYTES = 200

/** One line of JSON: id, type, block number, and the message in v0.6's JSON form as `data`. */
export function jsonLine({ id, event, bytes }: FollowedEvent): string {
  const block = id === '' ? '' : `,"block":${blockOf(id)}`
  return `{"id":${JSON.stringify(id)},"type":"${typeOf(event.$case)}"${block},"data":${eventJson(bytes).toString()}}\n`
}

/** One line for a person. */
export function textLine({ id, event }: FollowedEvent): string {
  return `${id}${id === '' ? '' : ' '}${described(event)}\n`
}

function described(event: FollowedEvent['event']): string {
  if (event.$case === 'rejection') return `rejected ${shown(event.value.tx?.txid ?? '')}: ${shown(event.value.errorMsg)}`
  if (event.$case === 'chaincodeEvent') {
    const { chaincodeID, eventName, txID, payload } = event.value
    return `event ${shown(chaincodeID)} ${shown(eventName)} of ${shown(txID)}: ${quoted(payload)}`
  }
  const { transactions, nonHashData } = event.value
  const seconds = nonHashData?.localLedgerCommitTimestamp?.seconds
  const time = seconds === undefined ? '' : ` ${timeOf(seconds)}`
  const txids = transactions.map(({ txid }) => shown(txid)).join(' ')
  return `block${time} ${transactions.length} transactions${txids === '' ? '' : `: ${txids}`}`
}

/** Any number may stand in a block that another peer made. */
function timeOf(seconds: bigint): string {
  const time = new Date(Number(seconds) * 1000)
  return Number.isNaN(time.getTime()) ? `${seconds}s` : time.toISOString().replace('.000', '')
}

function shown(text: string): string {
  return quoted(Buffer.from(text))
}

function typeOf(member: FollowedEvent['event']['$case']): string {
  return member === 'chaincodeEvent' ? 'chaincode' : member
}

function blockOf(id: string): string {
  return id.replace(/\..*/, '')
}

/** Text from outside on one line, without control characters and of bounded length; bytes that are not text in hex. */
function quoted(bytes: Uint8Array): string {
  const shown = Buffer.from(bytes.subarray(0, MAX_SHOWN_BYTES))
  const rest = bytes.length > MAX_SHOWN_BYTES ? '...' : ''
  const text = shown.toString()
  if (text.includes('\ufffd') && rest === '') return `0x${shown.toString('hex')}`
  // Quotes and escapes only where they are needed.
  return escaped(/^[\p{L}\p{N}\p{P}\p{S} ]*$/u.test(text) ? text : JSON.stringify(text)) + rest
}
