import { type EngineRequest, type MessageReader, MessageWriter, readMessage } from 'weft/consensus'
import { type Block, blockId, type Certificate, type Reference } from './block.js'

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
  return write(new MessageWriter().number(TYPES.indexOf(message.type)), message).end()
}

function write(writer: MessageWriter, message: Message): MessageWriter {
  switch (message.type) {
    case 'requests':
      return writer.requests(message.requests)
    case 'proposal':
      return writeBlock(writer, message.block)
    case 'vote':
      return writeReference(writer, message.for).bytes(message.signature)
    case 'status':
      return writeCertificate(writer, message.high).number(message.wish).number(Number(message.isAnswer))
    case 'fetch':
      return writeReference(writer, { ...message.above, id: message.id })
    case 'blocks':
      return writer.list(message.blocks, (block) => writeBlock(writer, block))
    case 'heads':
    default:
      return writer.list(message.heads, ({ height, hash }) => writer.number(Number(height)).bytes(hash))
  }
}

/** Undefined for bytes that are no message. Ids are computed, never believed. */
export function decode(bytes: Uint8Array, domain: string): Message | undefined {
  return readMessage(bytes, (reader): Message => {
    const type = TYPES[reader.number()] ?? reader.refuse()
    switch (type) {
      case 'requests':
        return { type, requests: reader.requests() }
      case 'proposal':
        return { type, block: readBlock(reader, domain) }
      case 'vote':
        return { type, for: readReference(reader), signature: reader.bytes() }
      case 'status':
        return { type, high: readCertificate(reader), wish: reader.number(), isAnswer: reader.number() === 1 }
      case 'fetch': {
        const above = readReference(reader)
        return { type, id: above.id, above }
      }
      case 'blocks':
        return { type, blocks: reader.list(() => readBlock(reader, domain)) }
      case 'heads':
      default:
        return { type, heads: reader.list(() => ({ height: BigInt(reader.number()), hash: reader.bytes() })) }
    }
  })
}

export function writeReference(writer: MessageWriter, { view, seq, id }: Reference): MessageWriter {
  return writer.number(view).number(seq).bytes(Buffer.from(id, 'hex'))
}

export function readReference(reader: MessageReader): Reference {
  return { view: reader.number(), seq: reader.number(), id: Buffer.from(reader.bytes()).toString('hex') }
}

export function writeCertificate(writer: MessageWriter, certificate: Certificate): MessageWriter {
  return writeReference(writer, certificate).list(certificate.signatures, ([member, signature]) => writer.number(member).bytes(signature))
}

export function readCertificate(reader: MessageReader): Certificate {
  return { ...readReference(reader), signatures: reader.list((): [number, Uint8Array] => [reader.number(), reader.bytes()]) }
}

export function writeBlock(writer: MessageWriter, { view, seq, parent, requests }: Block): MessageWriter {
  return writeCertificate(writer.number(view).number(seq), parent).requests(requests)
}

export function readBlock(reader: MessageReader, domain: string): Block {
  const block = { view: reader.number(), seq: reader.number(), parent: readCertificate(reader), requests: reader.requests() }
  return { ...block, id: blockId(domain, block) }
}
