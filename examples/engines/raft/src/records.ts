import { PeerError } from 'weft'
import { codec, type Codec, type EngineHost, type EngineStart, type MemberIndex } from 'weft/consensus'
import { Entry, Position } from './messages.js'

const VOTE = 'raft.vote'
export const BASE = 'raft.base'
/** Of an entry. */
export const keyOf = (index: number): string => `raft.log.${String(index).padStart(15, '0')}`
/** Of the member that got the vote one more than its index; 0: nobody. */
const Vote = codec.struct({ term: codec.number, voted: codec.number })
/** Marks the metadata of Raft's blocks: an earlier engine of the same epoch may have left other bytes. */
const MARK = Buffer.from('raft1').toString('hex')

/** The metadata of a block: the place of the entry that became it. */
export const Metadata = codec.map(
  codec.struct({ mark: codec.hex, at: Position }),
  ({ mark, at }) => (mark === MARK ? at : undefined),
  (at) => ({ mark: MARK, at }),
)

export function saveVote(host: EngineHost, term: number, votedFor: MemberIndex | undefined): void {
  host.put(VOTE, Vote.encode({ term, voted: votedFor === undefined ? 0 : votedFor + 1 }))
}

/** What an earlier life left; undefined if there was none. Throws ERR_RAFT_RECORD if a record is damaged: a forgotten vote or entry could fork the chain. */
export function restore({ restored }: EngineStart) {
  if (!restored.has(VOTE)) return undefined
  const read = <T>(key: string, record: Codec<T>): T => record.decode(restored.get(key)) ?? damaged(key)
  const { term, voted } = read(VOTE, Vote)
  const base = restored.has(BASE) ? read(BASE, Position) : { index: 0, term: 0 }
  const entries: Entry[] = []
  for (let index = base.index + 1; restored.has(keyOf(index)); index++) entries.push(read(keyOf(index), Entry))
  return { term, votedFor: voted === 0 ? undefined : voted - 1, base, entries }
}

function damaged(key: string): never {
  throw new PeerError('ERR_RAFT_RECORD', `the record ${key} of raft is damaged: it is not what this engine writes`, {
    hint: 'restore the disk of this validator: it must not vote without what it promised',
  })
}
