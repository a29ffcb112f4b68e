import { type Encodable, Transaction, canonicalTransaction, decode, encode } from '../../proto/index.js'

/** A transaction as it came in. */
export interface Submission {
  /** Canonical: what v0.6 would store and hash, also where strings are not UTF-8. Its own memory, not a view of a received frame. */
  readonly bytes: Uint8Array
  /** What `bytes` decode to. */
  readonly transaction: Transaction
}

/** Reads a request. Throws WireError if v0.6 would refuse it. */
export function readSubmission(received: Buffer): Submission {
  const bytes = new Uint8Array(canonicalTransaction(received))
  return { bytes, transaction: decode(Transaction, bytes) }
}

/** Writes a request. */
export function writeSubmission(submission: Encodable<Submission>): Buffer {
  const bytes = submission instanceof Uint8Array ? submission : encode(Transaction, submission.transaction)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
