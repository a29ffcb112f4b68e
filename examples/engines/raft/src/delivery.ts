import type { DeliveredBlock, TransferResult } from 'weft/consensus'
import { Metadata } from './records.js'
import type { Replica } from './replica.js'
import { passOnSoon } from './requests.js'

/** Gives the host what is committed, as far ahead as it takes it. Entries without requests make no block. */
export function deliverCommitted(r: Replica): void {
  while (r.handed < r.commit && !r.catchUp) {
    const index = r.handed + 1
    const entry = r.log.at(index)
    if (!entry) break
    if (entry.requests.length > 0) {
      if (r.unanswered.length >= r.host.deliveryWindow || r.isSealed) break
      r.unanswered.push(index)
      // The very objects that the host gave are the ones that it need not decode again.
      const requests = entry.requests.map((request) => r.book.get(request.id)?.content ?? request)
      r.host.deliver(String(index), requests, { metadata: Metadata.encode({ index, term: entry.term }) })
    }
    r.handed = index
  }
  passEmpty(r)
}

function passEmpty(r: Replica): void {
  while (r.delivered < r.handed && r.delivered + 1 !== r.unanswered[0]) r.delivered++
}

/** A delivery became a block, or was void: then its requests may be ordered again. */
export function onDelivered(r: Replica, block: DeliveredBlock | 'skipped'): void {
  const index = r.unanswered.shift()
  // What a transfer overtook comes with it, or is handed over again after it.
  if (index === undefined || (block === 'skipped' && r.catchUp)) return
  const entry = r.log.at(index)
  if (block === 'skipped') r.log.release(index)
  else finish(r, index, new Set(block.rejected))
  r.delivered = index
  passEmpty(r)
  compact(r)
  deliverCommitted(r)
  if (block === 'skipped') {
    r.book.requeue((id) => r.isOnItsWay(id))
    passOnSoon(r)
  }
  if (!r.isLeader) return
  r.ledBlocks++
  if (entry?.endsBatch && entry.term === r.term) r.batcher.finished()
}

function finish(r: Replica, index: number, rejected: ReadonlySet<string>): void {
  for (const { id } of r.log.at(index)?.requests ?? []) {
    if (r.log.placeOf(id) === index) r.book.remove(id)
    if (!rejected.has(id)) r.book.markExecuted(id)
  }
}

/** Gives up the oldest delivered entries, some at a time. */
function compact({ log, delivered, options: { retainEntries, retainBytes } }: Replica): void {
  const isTooLong = delivered - log.base.index > retainEntries + retainEntries / 4 || log.bytes > retainBytes + retainBytes / 4
  if (!isTooLong) return
  let { index } = log.base
  for (let { bytes } = log; index < delivered && (delivered - index > retainEntries || bytes > retainBytes); index++)
    bytes -= log.at(index + 1)?.body.length ?? 0
  const term = log.termAt(index)
  if (term !== undefined && index > log.base.index) log.rebase({ index, term })
}

/** Begins, or begins again, to transfer the state. */
export function transfer(r: Replica): void {
  if (!r.catchUp) return
  const { height, hash, members } = r.catchUp.offer
  r.catchUp.isRunning = true
  r.host.setValid(false)
  r.host.transferTo({ height, hash, members })
}

/** True if the state is there. A failed transfer is tried again after a while, or with the next offer: what it left of the state is not to be built on. */
export function onTransferred(r: Replica, result: TransferResult): boolean {
  if (!r.catchUp) return false
  r.unanswered = []
  r.catchUp.isRunning = false
  if (!result.reached) {
    r.host.log('info', `the state transfer to height ${r.catchUp.offer.height} failed: ${result.reason}`)
    return false
  }
  const { at } = r.catchUp.offer
  // It may lie beyond the log.
  if (at.index > r.log.base.index) r.log.rebase(at)
  r.commit = Math.max(r.commit, at.index)
  r.delivered = Math.max(r.delivered, at.index)
  r.handed = r.delivered
  r.catchUp = undefined
  r.book.transferred(result.executed)
  r.host.setValid(true)
  deliverCommitted(r)
  return true
}
