import { decodeRequests, encodeRequests, type EngineRequest } from 'weft/consensus'
import type { Certificate, Reference } from './block.js'

/** Bytes ended too early, or too late, or say what cannot be. */
export class Malformed extends Error {}

/** Puts values one after the other. Numbers have 6 bytes, what has no fixed length is preceded by it. */
export class Writer {
  readonly #parts: Uint8Array[] = []

  number(value: number): this {
    const bytes = Buffer.allocUnsafe(6)
    bytes.writeUIntBE(value, 0, 6)
    this.#parts.push(bytes)
    return this
  }

  bytes(value: Uint8Array): this {
    this.number(value.length).#parts.push(value)
    return this
  }

  reference({ view, seq, id }: Reference): this {
    this.number(view).number(seq).#parts.push(Buffer.from(id, 'hex'))
    return this
  }

  certificate(certificate: Certificate): this {
    this.reference(certificate)
    return this.list(certificate.signatures, ([member, signature]) => this.number(member).bytes(signature))
  }

  requests(requests: readonly EngineRequest[]): this {
    return this.bytes(encodeRequests(requests))
  }

  list<T>(items: readonly T[], write: (item: T) => unknown): this {
    this.number(items.length)
    for (const item of items) write(item)
    return this
  }

  end(): Uint8Array {
    return Buffer.concat(this.#parts)
  }
}

/** Takes values out again. Throws `Malformed`; nothing is allocated that the bytes do not hold. */
export class Reader {
  readonly #bytes: Buffer
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  number(): number {
    return this.#take(6).readUIntBE(0, 6)
  }

  bytes(): Uint8Array {
    return this.#take(this.number())
  }

  reference(): Reference {
    return { view: this.number(), seq: this.number(), id: this.#take(32).toString('hex') }
  }

  certificate(): Certificate {
    return { ...this.reference(), signatures: this.list((): [number, Uint8Array] => [this.number(), this.bytes()]) }
  }

  requests(): EngineRequest[] {
    const requests = decodeRequests(this.bytes())
    if (!requests) throw new Malformed()
    return requests
  }

  list<T>(read: () => T): T[] {
    const items: T[] = []
    for (let left = this.number(); left > 0; left -= 1) items.push(read())
    return items
  }

  end(): void {
    if (this.#offset !== this.#bytes.length) throw new Malformed()
  }

  #take(length: number): Buffer {
    if (this.#offset + length > this.#bytes.length) throw new Malformed()
    this.#offset += length
    return this.#bytes.subarray(this.#offset - length, this.#offset)
  }
}

/** Reads all of `bytes`; undefined if they are something else. */
export function read<T>(bytes: Uint8Array, take: (reader: Reader) => T): T | undefined {
  try {
    const reader = new Reader(bytes)
    const value = take(reader)
    reader.end()
    return value
  } catch (error) {
    if (error instanceof Malformed) return undefined
    throw error
  }
}
