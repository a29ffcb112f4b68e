import { PeerError } from '../../kernel/index.js'
import { asBuffer } from './bytes.js'

/** A number above the head (spec/ledger.md §10). */
export function outOfBounds(number: bigint, height: bigint): PeerError {
  return new PeerError('ERR_LEDGER_OUT_OF_BOUNDS', 'LedgerError - OutOfBounds: ledger: out of bounds', { details: { number, height } })
}

/** A block hash that no index row holds (spec/ledger.md §10). */
export function blockNotFound(hash: Uint8Array): PeerError {
  const hex = asBuffer(hash).toString('hex')
  return new PeerError('ERR_LEDGER_BLOCK_NOT_FOUND', `LedgerError - ErrorTypeBlockNotFound: ledger: block not found with hash ${hex}`, {
    details: { hash: hex },
  })
}

/** A put with an empty key or without a value; the text is v0.6's (spec/chaincode.md §6). */
export function invalidPut(key: Uint8Array, value: Uint8Array | undefined): PeerError {
  return new PeerError(
    'ERR_LEDGER_INVALID_ARGUMENT',
    `LedgerError - InvalidArgument: An empty string key or a nil value is not supported. Method invoked with key='${asBuffer(key).toString('utf8')}', value='${goBytes(value)}'`,
  )
}

/** Longest value printed in full; a longer one is cut, so that a refused put cannot make a message of unbounded size. */
const MAX_PRINTED_BYTES = 4096

/** A byte slice as Go's `%#v` prints it: `[]byte{0x31, 0x32}`. */
function goBytes(value: Uint8Array | undefined): string {
  if (value === undefined) return '[]byte(nil)'
  const shown = Array.from(value.subarray(0, MAX_PRINTED_BYTES), (byte) => `0x${byte.toString(16)}`)
  if (value.length > MAX_PRINTED_BYTES) shown.push(`... ${value.length - MAX_PRINTED_BYTES} more bytes`)
  return `[]byte{${shown.join(', ')}}`
}

/** The world state is not that of the head, or there is none. */
export function stateBehind(stateBlock: bigint | undefined, height: bigint): PeerError {
  const found = stateBlock === undefined ? 'that of no block' : `that of block ${stateBlock}`
  return new PeerError('ERR_LEDGER_STATE_BEHIND', `the height is ${height}, but the world state is ${found}`, {
    hint: 'wait until the state transfer has completed',
    details: { stateBlock, height },
    retryable: true,
  })
}

/** What is stored contradicts itself. */
export function corrupt(what: string): PeerError {
  return new PeerError('ERR_LEDGER_CORRUPT', what, {
    hint: 'the store has lost or changed data: `peer ledger verify --offline` lists what is wrong; put back a backup of the directory, and keep this one for a report',
  })
}
