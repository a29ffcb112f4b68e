import { PeerError } from 'weft'
import type { EngineHost, EngineStart, MemberIndex } from 'weft/consensus'
import { pack, unpack } from './bytes.js'
import { type Entry, entryOf, type Position } from './messages.js'

const VOTE = 'raft.vote'
const BASE = 'raft.base'
const keyOf = (index: number): string => `raft.log.${String(index).padStart(15, '0')}`
/** Marks the metadata of Raft's blocks: an earlier engine of the same epoch may have left other bytes. */
const MAGIC = Buffer.from('raft1')

/** What must survive: the promise of a vote, where the log begins, and its entries. */
export interface Restored {
  readonly term: number
  readonly votedFor: MemberIndex | undefined
  readonly base: Position
  readonly entries: readonly Entry[]
}

export function saveVote(host: EngineHost, term: number, votedFor: MemberIndex | undefined): void {
  host.put(VOTE, pack([term, votedFor === undefined ? 0 : votedFor + 1]))
}

export function saveBase(host: EngineHost, { index, term }: Position): void {
  host.put(BASE, pack([index, term]))
}

export function saveEntry(host: EngineHost, index: number, { term, body }: Entry): void {
  host.put(keyOf(index), pack([term], [body]))
}

export function deleteEntry(host: EngineHost, index: number): void {
  host.delete(keyOf(index))
}

/** The metadata of the block that an entry becomes. */
export function metadataOf({ index, term }: Position): Uint8Array {
  return Buffer.concat([MAGIC, pack([index, term])])
}

/** The entry that became the head block; undefined if it was none of Raft's. */
export function positionIn(metadata: Uint8Array | undefined): Position | undefined {
  if (metadata === undefined || Buffer.compare(metadata.subarray(0, MAGIC.length), MAGIC) !== 0) return undefined
  const [index, term] = unpack(metadata.subarray(MAGIC.length))?.numbers ?? []
  return index === undefined || term === undefined ? undefined : { index, term }
}

/** What an earlier life left; undefined if there was none. Throws ERR_RAFT_RECORD if a record is damaged: a forgotten vote or entry could fork the chain. */
export function restore({ restored }: EngineStart): Restored | undefined {
  if (!restored.has(VOTE)) return undefined
  const [term, voted] = numbersOf(restored, VOTE)
  const [baseIndex, baseTerm] = restored.has(BASE) ? numbersOf(restored, BASE) : [0, 0]
  const entries: Entry[] = []
  for (let index = baseIndex + 1; restored.has(keyOf(index)); index++) {
    const { numbers, strings } = unpack(restored.get(keyOf(index)) ?? MAGIC) ?? { numbers: [], strings: [] }
    const [[entryTerm], [body]] = [numbers, strings]
    entries.push((entryTerm !== undefined && body && entryOf(entryTerm, body)) || damaged(keyOf(index)))
  }
  return { term, votedFor: voted === 0 ? undefined : voted - 1, base: { index: baseIndex, term: baseTerm }, entries }
}

function numbersOf(restored: EngineStart['restored'], key: string): readonly [number, number] {
  const [first, second] = unpack(restored.get(key) ?? MAGIC)?.numbers ?? []
  return first === undefined || second === undefined ? damaged(key) : [first, second]
}

function damaged(key: string): never {
  throw new PeerError('ERR_RAFT_RECORD', `the record ${key} of raft is damaged: it is not what this engine writes`, {
    hint: 'restore the disk of this validator: it must not vote without what it promised',
  })
}
