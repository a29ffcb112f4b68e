import { decode, encode, orUndefined, pbft } from '../../proto/index.js'
import type { EngineStart } from '../consensus/index.js'
import { fromBase64, toBase64, toBatch } from './messages.js'
import type { PQ, Replica } from './replica.js'

/** What the checkpoint of number 0 is called until the first state transfer has ended (spec/consensus.md §5.4). */
export const GENESIS_PLACEHOLDER = 'XXX GENESIS'

const VIEW = 'weft.view'
const POSITION = 'weft.position'
const NEW_VIEW = 'weft.newView'

/** Stores v0.6's P or Q set (§11.1). */
export const saveSet = (r: Replica, key: 'pset' | 'qset', entries: readonly PQ[]): void => r.host.put(key, r.writers[key](entries))

/** The view, whether it is entered, from which checkpoint it began, the low watermark, and as its primary the message that began it: v0.6 stores neither (§15 W14). */
export function saveView(r: Replica, newView?: pbft.NewView): void {
  r.host.put(VIEW, Buffer.from(`${r.view} ${r.isActive ? 'active' : 'pending'} ${r.base} ${r.h}`))
  if (newView) r.host.put(NEW_VIEW, encode(pbft.NewView, newView))
}

/** The position after a null request, which no block tells of, and the height at which it holds (§15 W16). */
export const savePosition = (r: Replica): void => r.host.put(POSITION, Buffer.from(`${r.lastExec} ${r.host.head.height}`))

/** A P set by number. */
export const byNumber = (entries: readonly PQ[]): Map<number, PQ> => new Map(entries.map((entry) => [entry.sequenceNumber, entry]))

/** A Q set by number and digest. */
export const byNumberAndDigest = (entries: readonly PQ[]): Map<string, PQ> =>
  new Map(entries.map((entry) => [`${entry.sequenceNumber} ${entry.batchDigest}`, entry]))

/** Restores a replica from what was stored (§11.4); returns where its low watermark and its votes began. */
export function restore(r: Replica, { restored, metadata, head, divergedAt }: EngineStart): readonly [h: number, floor: number] {
  const set = (key: string): readonly PQ[] => read(restored.get(key), (bytes) => decode(pbft.PQset, bytes).set) ?? [] // what is damaged counts as empty, as in v0.6
  r.pset = byNumber(set('pset'))
  r.qset = byNumberAndDigest(set('qset'))
  const entries = [...r.pset.values(), ...r.qset.values()]
  const [, view = 0, active = 'active', base = 0, h = 0] = /^(\d+) (active|pending)(?: (\d+) (\d+))?$/.exec(textOf(restored.get(VIEW))) ?? []
  r.view = Math.max(Number(view), ...entries.map((entry) => entry.view))
  r.base = Number(base)
  r.isActive = active === 'active' || r.view > Number(view)
  r.lastExec = read(metadata, (bytes) => decode(pbft.Metadata, bytes).seqNo) ?? 0
  const [, n = 0, height = -1] = /^(\d+) (\d+)$/.exec(textOf(restored.get(POSITION))) ?? []
  if (BigInt(height) === head.height) r.lastExec = Math.max(r.lastExec, Number(n))
  // What an earlier view proposed at a higher number is not assigned in this one: a primary that went on after it would leave a gap.
  r.seqNo = Math.max(0, ...entries.filter((entry) => entry.view === r.view).map((entry) => entry.sequenceNumber))
  for (const [key, value] of restored) {
    const batch = key.startsWith('reqBatch.') ? orUndefined(() => toBatch(decode(pbft.RequestBatch, value))) : undefined
    if (batch) r.batches.set(batch.digest, batch)
    const number = /^chkpt\.(\d{1,15})$/.exec(key)?.[1]
    // Of a chain that was given up: the others have other hashes.
    if (number !== undefined && divergedAt !== undefined) r.host.delete(key)
    else if (number !== undefined) r.checkpoints.set(Number(number), toBase64(value))
  }
  const own = read(restored.get(NEW_VIEW), (bytes) => decode(pbft.NewView, bytes))
  if (own) r.newViews.set(r.self, own)
  const floor = Math.min(r.lastExec, ...r.checkpoints.keys())
  if (!r.checkpoints.has(0)) r.checkpoints.set(0, GENESIS_PLACEHOLDER)
  return [Math.max(floor, Math.min(Number(h), r.lastExec)), floor]
}

/** Restores what was said in the present view before a restart: a vote that was sent is kept to, and can be said again (§15 W14). */
export function restoreVotes(r: Replica): void {
  for (const { sequenceNumber, batchDigest, view } of r.qset.values()) {
    if (view !== r.view || !r.isActive) continue
    const slot = r.slotAt(sequenceNumber)
    slot.proposal = batchDigest
    slot.isPrepareSent = true
  }
  for (const { sequenceNumber, batchDigest, view } of r.pset.values()) {
    const slot = r.slotAt(sequenceNumber)
    slot.commits.set(r.self, { view, digest: batchDigest })
    slot.isPrepared = slot.isCommitSent = slot.proposal === batchDigest && view === r.view
  }
}

/** The number after which the primary changes: `viewchangeperiod` checkpoint periods after `n`, the last one assigned (§9.11). */
export const rotationAfter = ({ K, options }: Replica, n: number): number =>
  options.viewChangePeriod === 0 ? Number.POSITIVE_INFINITY : n + options.viewChangePeriod * K - (n % K)

/** The own checkpoint of the highest number, with its id. */
export function latestCheckpoint(r: Replica): readonly [n: number, id: string] | undefined {
  const real = [...r.checkpoints].filter(([, id]) => id !== GENESIS_PLACEHOLDER && fromBase64(id))
  return real.sort(([left], [right]) => right - left)[0]
}

const read = <T>(bytes: Uint8Array | undefined, decoder: (bytes: Uint8Array) => T): T | undefined => bytes && orUndefined(() => decoder(bytes))

const textOf = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('latin1')
