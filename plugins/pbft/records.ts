import { decode, encode, pbft } from '../../proto/index.js'
import type { EngineHost, EngineStart } from '../consensus/index.js'
import { type PQ, rotationAfter, slotAt, type State } from './core.js'
import { fromBase64, orUndefined, toBase64, toBatch } from './messages.js'
import type { PbftOptions } from './options.js'

/** What the checkpoint of number 0 is called until the first state transfer has ended (spec/consensus.md §5.4). */
export const GENESIS_PLACEHOLDER = 'XXX GENESIS'

/** v0.6's records under their keys (§11.1), and three of Weft's own: the view, the position after null requests, the new view of a primary. */
export interface Records {
  savePset(entries: readonly PQ[]): void
  saveQset(entries: readonly PQ[]): void
  saveBatch(digest: string, bytes: Uint8Array): void
  dropBatch(digest: string): void
  saveCheckpoint(n: bigint, blob: Uint8Array): void
  dropCheckpoint(n: bigint): void
  saveView(view: bigint, isActive: boolean): void
  savePosition(n: bigint, height: bigint): void
  saveNewView(newView: pbft.NewView): void
}

export function createRecords(host: EngineHost): Records {
  const saveSet = (key: string, set: readonly PQ[]): void => host.put(key, encode(pbft.PQset, { set: [...set] }))
  return {
    savePset: (entries) => saveSet('pset', entries),
    saveQset: (entries) => saveSet('qset', entries),
    saveBatch: (digest, bytes) => host.put(`reqBatch.${digest}`, bytes),
    dropBatch: (digest) => host.delete(`reqBatch.${digest}`),
    saveCheckpoint: (n, blob) => host.put(`chkpt.${n}`, blob),
    dropCheckpoint: (n) => host.delete(`chkpt.${n}`),
    saveView: (view, isActive) => host.put('weft.view', Buffer.from(`${view} ${isActive ? 'active' : 'pending'}`)),
    savePosition: (n, height) => host.put('weft.position', Buffer.from(`${n} ${height}`)),
    saveNewView: (newView) => host.put('weft.newView', encode(pbft.NewView, newView)),
  }
}

export const qKey = ({ batchDigest, sequenceNumber }: PQ): string => `${sequenceNumber} ${batchDigest}`

/** The state as it was stored (§11.4), before the watermarks are moved to `restoredWatermark`. */
export function restoreState(options: PbftOptions, { restored, metadata, head }: EngineStart): State {
  const pset = new Map(setOf(restored.get('pset')).map((entry) => [entry.sequenceNumber, entry]))
  const qset = new Map(setOf(restored.get('qset')).map((entry) => [qKey(entry), entry]))
  const entries = [...pset.values(), ...qset.values()]
  const saved = /^(\d+) (active|pending)$/.exec(textOf(restored.get('weft.view')))
  const view = max([BigInt(saved?.[1] ?? 0), ...entries.map((entry) => entry.view)])
  const state: State = {
    view,
    isActive: saved?.[2] !== 'pending' || view > BigInt(saved[1] ?? 0),
    h: 0n,
    seqNo: max([0n, ...entries.map((entry) => entry.sequenceNumber)]),
    lastExec: positionOf(metadata, restored.get('weft.position'), head.height),
    currentExec: undefined,
    delivering: undefined,
    slots: new Map(),
    batches: new Map(),
    waiting: [],
    checkpoints: new Map([[0n, GENESIS_PLACEHOLDER]]),
    pset,
    qset,
    missing: new Set(),
    isOutOfDate: false,
    transferring: undefined,
    target: undefined,
    rotateAfter: 0n,
    newViewMs: options.viewChangeMs,
    isPsetStale: false,
    isSealed: false,
  }
  for (const [key, value] of restored) {
    const batch = key.startsWith('reqBatch.') ? orUndefined(() => toBatch(decode(pbft.RequestBatch, value))) : undefined
    if (batch) state.batches.set(batch.digest, batch)
    const n = /^chkpt\.(\d{1,20})$/.exec(key)?.[1]
    if (n !== undefined) state.checkpoints.set(BigInt(n), toBase64(value))
  }
  state.rotateAfter = rotationAfter({ state, options })
  return state
}

/** Where the low watermark was: at the lowest checkpoint that is stored, or below the position if that is lower. */
export function restoredWatermark({ lastExec, checkpoints }: State): bigint {
  const stored = [...checkpoints].filter(([, id]) => id !== GENESIS_PLACEHOLDER).map(([n]) => n)
  return stored.reduce((lowest, n) => (n < lowest ? n : lowest), lastExec)
}

/** What was said in the present view before a restart: a vote that was sent is kept to, and can be said again. */
export function restoreVotes(state: State, self: number): void {
  for (const { sequenceNumber, batchDigest, view } of state.qset.values()) {
    if (view !== state.view || !state.isActive) continue
    const slot = slotAt(state, sequenceNumber)
    slot.proposal = batchDigest
    slot.isPrepareSent = true
  }
  for (const { sequenceNumber, batchDigest, view } of state.pset.values()) {
    const slot = slotAt(state, sequenceNumber)
    slot.commits.set(self, { view, digest: batchDigest })
    slot.isPrepared = slot.isCommitSent = slot.proposal === batchDigest && view === state.view
  }
}

/** The new view that this replica sent as primary, if there is one. */
export function restoredNewView({ restored }: EngineStart): pbft.NewView | undefined {
  const bytes = restored.get('weft.newView')
  return bytes && orUndefined(() => decode(pbft.NewView, bytes))
}

/** The timestamp after those of this replica's requests that are stored, in nanoseconds: own timestamps only grow. */
export function lastTimestamp({ batches }: State, self: number): bigint {
  const own = [...batches.values()].flatMap(({ message }) => message.batch).filter(({ replicaId }) => replicaId === BigInt(self))
  return max([0n, ...own.map(({ timestamp }) => (timestamp ? timestamp.seconds * 1_000_000_000n + BigInt(timestamp.nanos) : 0n))])
}

/** The bytes of a checkpoint id, as it is stored. */
export function blobOf(id: string): Uint8Array | undefined {
  return fromBase64(id)
}

/** Null requests make no block: the position is that of the head's metadata, or the one stored at this very head, whichever is later. */
function positionOf(metadata: Uint8Array | undefined, stored: Uint8Array | undefined, height: bigint): bigint {
  const ordered = (metadata && orUndefined(() => decode(pbft.Metadata, metadata).seqNo)) ?? 0n
  const [, n = 0, at = -1] = /^(\d+) (\d+)$/.exec(textOf(stored)) ?? []
  return BigInt(at) === height ? max([ordered, BigInt(n)]) : ordered
}

function setOf(bytes: Uint8Array | undefined): readonly PQ[] {
  // What is damaged counts as empty, as in v0.6.
  return (bytes && orUndefined(() => decode(pbft.PQset, bytes).set)) ?? []
}

function textOf(bytes: Uint8Array | undefined): string {
  return bytes ? Buffer.from(bytes).toString('latin1') : ''
}

function max(numbers: readonly bigint[]): bigint {
  return numbers.reduce((highest, n) => (n > highest ? n : highest), 0n)
}
