import { eventJson } from '../../proto/index.js'
import type { FollowedEvent } from './event-stream.js'

const MAX_SHOWN_BYTES = 200

/** One line of JSON: id, type, block number, and the message in v0.6's JSON form as `data`. */
export function jsonLine({ id, event, bytes }: FollowedEvent): string {
  const block = id === '' ? '' : `,"block":${blockOf(id)}`
  return `{"id":${JSON.stringify(id)},"type":"${typeOf(event.$case)}"${block},"data":${eventJson(bytes).toString()}}\n`
}

/** One line for a person. */
export function textLine({ id, event }: FollowedEvent): string {
  const place = id === '' ? '' : `${id} `
  switch (event.$case) {
    case 'block': {
      const { transactions, nonHashData } = event.value
      const seconds = nonHashData?.localLedgerCommitTimestamp?.seconds
      const time = seconds === undefined ? '' : ` ${new Date(Number(seconds) * 1000).toISOString().replace('.000', '')}`
      const txids = transactions.map(({ txid }) => printable(Buffer.from(txid))).join(' ')
      return `${place}block${time} ${transactions.length} transactions${txids === '' ? '' : `: ${txids}`}\n`
    }
    case 'chaincodeEvent': {
      const { chaincodeID, eventName, txID, payload } = event.value
      return `${place}event ${printable(Buffer.from(chaincodeID))} ${printable(Buffer.from(eventName))} of ${printable(Buffer.from(txID))}: ${printable(payload)}\n`
    }
    case 'rejection':
      return `${place}rejected ${printable(Buffer.from(event.value.tx?.txid ?? ''))}: ${printable(Buffer.from(event.value.errorMsg))}\n`
  }
}

function typeOf(member: FollowedEvent['event']['$case']): string {
  return member === 'chaincodeEvent' ? 'chaincode' : member
}

function blockOf(id: string): string {
  return id.replace(/\..*/, '')
}

/** Text from outside on one line, without control characters and of bounded length; bytes that are not text in hex. */
function printable(bytes: Uint8Array): string {
  const shown = Buffer.from(bytes.subarray(0, MAX_SHOWN_BYTES))
  const rest = bytes.length > MAX_SHOWN_BYTES ? '...' : ''
  const text = shown.toString()
  if (text.includes('\ufffd') && rest === '') return `0x${shown.toString('hex')}`
  // Quotes and escapes only where they are needed.
  return (/^[\p{L}\p{N}\p{P}\p{S} ]*$/u.test(text) ? text : JSON.stringify(text)) + rest
}
