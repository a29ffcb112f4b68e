import { codec, type CodecValue } from 'weft/consensus'
import { blocksOf, Certificate, Rank, Reference } from './block.js'

/** A member's place in the chain, for those who are too far behind to be given blocks. */
const KnownHead = codec.struct({ height: codec.bigint, hash: codec.bytes })
export type KnownHead = CodecValue<typeof KnownHead>

/** What members say to each other. */
export function messagesOf(domain: string) {
  const block = blocksOf(domain)
  return codec.oneOf('type', {
    requests: { requests: codec.requests },
    proposal: { block },
    vote: { for: Reference, signature: codec.bytes },
    /** The view that the sender wishes to be in, and the highest certificate it knows. What is an answer is not answered. */
    status: { high: Certificate, wish: codec.number, isAnswer: codec.flag },
    /** Asks for a block and what is between it and `above`, which the sender has. */
    fetch: { above: Rank, id: codec.hex },
    /** The newest first, each the parent of the one before. */
    blocks: { blocks: codec.list(block) },
    heads: { heads: codec.list(KnownHead) },
  })
}

export type Message = CodecValue<ReturnType<typeof messagesOf>>
/** The same in every domain: ids of blocks are not written. */
const undomained = messagesOf('')
export const encode = (message: Message): Uint8Array => undomained.encode(message)
