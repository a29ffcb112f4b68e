import type { newView_XsetEntry } from './gen/pbft.js'

export {
  batchMessage as BatchMessage,
  blockInfo as BlockInfo,
  checkpoint as Checkpoint,
  commit as Commit,
  fetchRequestBatch as FetchRequestBatch,
  message as Message,
  metadata as Metadata,
  newView as NewView,
  newView_XsetEntry as XsetEntry,
  PQset,
  prepare as Prepare,
  prePrepare as PrePrepare,
  request as Request,
  requestBatch as RequestBatch,
  viewChange as ViewChange,
  viewChange_C as ViewChangeC,
  viewChange_PQ as ViewChangePQ,
} from './gen/pbft.js'

/** The entries of a new view's xset, in ascending order of sequence number so that all replicas write the same bytes; v0.6 writes them in random order (spec/wire.md §2.9). */
export function xsetEntries(xset: ReadonlyMap<bigint, string>): newView_XsetEntry[] {
  return [...xset].sort(([left], [right]) => (left < right ? -1 : 1)).map(([key, value]) => ({ key, value }))
}

/** The xset of a new view: sequence number to batch digest, "" for a null request. A missing key is 0, a missing value "", the last of equal keys wins. */
export function xsetMap(entries: readonly newView_XsetEntry[]): Map<bigint, string> {
  return new Map(entries.map(({ key = 0n, value = '' }) => [key, value]))
}
