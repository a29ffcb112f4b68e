import { createHash } from 'node:crypto'
import { HASH_AT, keccakModule, MESSAGE_AT, RATE } from './keccak-module.js'

/** Up to here the module is faster than OpenSSL. */
const LONGEST_BYTES = 6 * RATE - 1
const FIRST_PADDING = 0x1f
const LAST_PADDING = 0x80

/** The module in use. */
interface Keccak {
  readonly memory: Uint8Array
  /** The result again, as text. */
  readonly result: Buffer
  /** Views of the result, which stands until the next call. */
  readonly results: Readonly<Record<OutputLength, Uint8Array>>
  /** Takes in the blocks of the memory up to there. */
  hash(end: number): void
}

type OutputLength = 32 | 64

/** What Node has of WebAssembly; the types of Node leave it out. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> }
}

let keccak: Keccak | 'none' | undefined

/** SHAKE256 of the concatenation of the pieces, with 32 or 64 bytes of output (spec/ledger.md §1). The result is the caller's own. */
export function shake256(outputLength: OutputLength, ...pieces: readonly Uint8Array[]): Uint8Array {
  const hashed = short(pieces)
  if (hashed) return hashed.results[outputLength].slice()
  const digest = openSsl(outputLength, pieces)
  return new Uint8Array(digest.buffer, digest.byteOffset, digest.byteLength)
}

/** {@link shake256} of one piece in lower-case hex. */
export function shake256Hex(outputLength: OutputLength, bytes: Uint8Array): string {
  const hashed = short([bytes])
  return hashed ? hashed.result.toString('hex', 0, outputLength) : openSsl(outputLength, [bytes]).toString('hex')
}

/** {@link shake256} of one piece, 64 bytes of it, in Base64. */
export function shake256Base64(bytes: Uint8Array): string {
  return (short([bytes])?.result ?? openSsl(64, [bytes])).toString('base64')
}

/** Hashes what is short; undefined: it has to be done otherwise. */
function short(pieces: readonly Uint8Array[]): Keccak | undefined {
  let length = 0
  for (const piece of pieces) length += piece.length
  if (length > LONGEST_BYTES) return undefined
  keccak ??= load()
  if (keccak === 'none') return undefined
  const { memory } = keccak
  let at = MESSAGE_AT
  for (const piece of pieces) {
    memory.set(piece, at)
    at += piece.length
  }
  const end = MESSAGE_AT + (Math.floor(length / RATE) + 1) * RATE
  memory.fill(0, at, end)
  memory[at] = FIRST_PADDING
  memory[end - 1] = (memory[end - 1] ?? 0) | LAST_PADDING
  keccak.hash(end)
  return keccak
}

function openSsl(outputLength: number, pieces: readonly Uint8Array[]): Buffer {
  const hash = createHash('shake256', { outputLength })
  for (const piece of pieces) hash.update(piece)
  return hash.digest()
}

function load(): Keccak | 'none' {
  try {
    const { memory, hash } = new WebAssembly.Instance(new WebAssembly.Module(keccakModule())).exports
    if (typeof memory !== 'object' || memory === null || !('buffer' in memory) || !(memory.buffer instanceof ArrayBuffer)) return 'none'
    if (typeof hash !== 'function') return 'none'
    const { buffer } = memory
    return {
      // A Buffer's own `fill` costs more than the few bytes that it writes.
      memory: new Uint8Array(buffer),
      result: Buffer.from(buffer, HASH_AT, 64),
      results: { 32: new Uint8Array(buffer, HASH_AT, 32), 64: new Uint8Array(buffer, HASH_AT, 64) },
      hash: (end) => void hash(end),
    }
  } catch {
    // Node runs without it (--jitless), or the memory of the process is limited too much for it: OpenSSL gives the same bytes.
    return 'none'
  }
}
