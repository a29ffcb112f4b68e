import { codec, type CodecValue, type Member, shake256 } from 'weft/consensus'

const place = { view: codec.number, seq: codec.number }
const reference = { ...place, id: codec.hex }

/** A place in the order of proposals: views one after the other, and within a view the proposals of its one leader, numbered from 1. */
export const Rank = codec.struct(place)
export type Rank = CodecValue<typeof Rank>
/** A block by its rank and the hash over what it says. */
export const Reference = codec.struct(reference)
export type Reference = CodecValue<typeof Reference>
/** A quorum's signed votes for a block. */
export const Certificate = codec.struct({ ...reference, signatures: codec.list(codec.struct({ member: codec.number, signature: codec.bytes })) })
export type Certificate = CodecValue<typeof Certificate>
/** What a proposal says. It carries the certificate of the block that it extends. */
const Content = codec.struct({ ...place, parent: Certificate, requests: codec.requests })
type Content = CodecValue<typeof Content>
export type Block = Content & Reference

/** Blocks as bytes. The id is computed, never believed. */
export function blocksOf(domain: string) {
  return codec.map(
    Content,
    (content): Block => ({ ...content, id: blockId(domain, content) }),
    (block) => block,
  )
}

/** What every chain of an epoch begins with; it needs no votes. */
export const GENESIS: Certificate = { view: 0, seq: 0, id: '0'.repeat(64), signatures: [] }

/** Below, at or above zero as `left` is before, at or after `right`. */
export const compare = (left: Rank, right: Rank): number => left.view - right.view || left.seq - right.seq

/** Whether no rank lies between the two: the second of two such certified blocks decides the first. */
export const isNext = (first: Rank, second: Rank): boolean => first.view === second.view && first.seq + 1 === second.seq

/** Faults that are borne, and the votes of which two sets have more than so many members in common. */
export function quorumsOf(members: number): { readonly faulty: number; readonly quorum: number } {
  const faulty = Math.floor((members - 1) / 3)
  return { faulty, quorum: Math.ceil((members + faulty + 1) / 2) }
}

/** Goes into everything that is hashed or signed, so that no vote counts in another epoch or among other members. */
export const domainOf = (epoch: bigint, members: readonly Member[]): string =>
  hashOf(['weft-engine-hotstuff', epoch, ...members.map(({ id }) => JSON.stringify(id))])

/** The hash that a block is known by: over its rank, its parent and its requests. The parent's signatures are left out: any quorum's are as good. */
export function blockId(domain: string, { view, seq, parent, requests }: Content): string {
  return hashOf([domain, 'block', view, seq, parent.view, parent.seq, parent.id, ...requests.map(({ id }) => id)])
}

/** What a vote signs. */
export const voteBytes = (domain: string, { view, seq, id }: Reference): Uint8Array => Buffer.from([domain, 'vote', view, seq, id].join(' '))

function hashOf(parts: readonly (string | number | bigint)[]): string {
  return Buffer.from(shake256(Buffer.from(parts.join(' '))).subarray(0, 32)).toString('hex')
}
