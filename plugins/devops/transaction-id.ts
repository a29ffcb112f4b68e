import { createHash, randomUUID } from 'node:crypto'
import { PeerError } from '../../kernel/index.js'

/** A random transaction id: UUID v4 (spec/ledger.md §1). */
export function randomTransactionId(): string {
  return randomUUID()
}

/**
 * The id of an invoke that names an id algorithm: SHA-256, as lower-case hex, of the arguments in DER (spec/wire.md §10.2). Equal arguments give
 * equal ids, whoever calls.
 *
 * @throws PeerError `Wrong ID generation algorithm was given: <name>` for everything but `sha256`, in any case
 */
export function derivedTransactionId(algorithm: string, args: readonly Uint8Array[]): string {
  const name = algorithm.toLowerCase()
  if (name !== 'sha256') throw new PeerError('ERR_TRANSACTION_ID_ALGORITHM', `Wrong ID generation algorithm was given: ${name}`)
  return createHash('sha256').update(derArguments(args)).digest('hex')
}

/** DER: SEQUENCE { SEQUENCE OF OCTET STRING }. */
export function derArguments(args: readonly Uint8Array[]): Uint8Array {
  const strings = args.map((arg) => der(OCTET_STRING, arg))
  return der(SEQUENCE, der(SEQUENCE, Buffer.concat(strings)))
}

const OCTET_STRING = 0x04
const SEQUENCE = 0x30

function der(tag: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([tag, ...derLength(content.length)]), content])
}

function derLength(length: number): number[] {
  if (length < 0x80) return [length]
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return [0x80 | bytes.length, ...bytes]
}
