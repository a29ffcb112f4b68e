import type { EngineRequest } from 'weft/consensus'
import { type Block, blockId, type Certificate, type Reference } from './block.js'
import { Malformed, read, type Reader, Writer } from './wire.js'

/** A member's place in the chain, for those who are too far behind to be given blocks. */
export interface KnownHead {
  readonly height: bigint
  readonly hash: Uint8Array
}

export type Message =
  | { readonly type: 'requests'; readonly requests: readonly EngineRequest[] }
  | { readonly type: 'proposal'; readonly block: Block }
  | { readonly type: 'vote'; readonly for: Reference; readonly signature: Uint8Array }
  /** The view that the sender wishes to be in, and the highest certificate it knows. What is an answer is not answered. */
  | { readonly type: 'status'; readonly wish: number; readonly high: Certificate; readonly isAnswer: boolean }
  /** Asks for a block and what is between it and `above`, which the sender has. */
  | { readonly type: 'fetch'; readonly id: string; readonly above: Reference }
  /** The newest first, each the parent of the one before. */
  | { readonly type: 'blocks'; readonly blocks: readonly Block[] }
  | { readonly type: 'heads'; readonly heads: readonly KnownHead[] }

const TYPES = ['requests', 'proposal', 'vote', 'status', 'fetch', 'blocks', 'heads'] as const

export function encode(message: Message): Uint8Array {
  return write(new Writer().number(TYPES.indexOf(message.type)), message).end()
}

function write(writer: Writer, message: Message): Writer {
  switch (message.type) {
    case 'requests':
      return writer.requests(message.requests)
    case 'proposal':
      return writeBlock(writer, message.block)
    case 'vote':
      return writer.reference(message.for).bytes(message.signature)
    case 'status':
      return writer.number(message.wish).certificate(message.high).number(Number(message.isAnswer))
    case 'fetch':
      return writer.reference({ ...message.above, id: message.id })
    case 'blocks':
      return writer.list(message.blocks, (block) => writeBlock(writer, block))
    case 'heads':
      return writer.list(message.heads, ({ height, hash }) => void writer.number(Number(height)).bytes(hash))
  }
}

/** Undefined for bytes that are no message. Ids are computed, never believed. */
export function decode(bytes: Uint8Array, domain: string): Message | undefined {
  return read(bytes, (reader): Message => {
    const type = TYPES[reader.number()]
    if (type === undefined) throw new Malformed()
    switch (type) {
      case 'requests':
        return { type, requests: reader.requests() }
      case 'proposal':
        return { type, block: readBlock(reader, domain) }
      case 'vote':
        return { type, for: reader.reference(), signature: reader.bytes() }
      case 'status':
        return { type, wish: reader.number(), high: reader.certificate(), isAnswer: reader.number() === 1 }
      case 'fetch': {
        const above = reader.reference()
        return { type, id: above.id, above }
      }
      case 'blocks':
        return { type, blocks: reader.list(() => readBlock(reader, domain)) }
      case 'heads':
        return { type, heads: reader.list(() => ({ height: BigInt(reader.number()), hash: reader.bytes() })) }
    }
  })
}

export function encodeBlock(block: Block): Uint8Array {
  return writeBlock(new Writer(), block).end()
}

export function decodeBlock(bytes: Uint8Array, domain: string): Block | undefined {
  return read(bytes, (reader) => readBlock(reader, domain))
}

function writeBlock(writer: Writer, { view, seq, parent, requests }: Block): Writer {
  return writer.number(view).number(seq).certificate(parent).requests(requests)
}

function readBlock(reader: Reader, domain: string): Block {
  const block = { view: reader.number(), seq: reader.number(), parent: reader.certificate(), requests: reader.requests() }
  return { ...block, id: blockId(domain, block) }
}
