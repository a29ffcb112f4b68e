import { blockTransactions } from '../../../proto/index.js'
import type { RequestId } from '../engine/engine.js'
import type { HostLedger } from './execution.js'
import { requestId } from '../engine/request-id.js'

/** Requests that are read in one turn when there is time. */
const READ_IN_A_TURN = 200

type ReadLedger = Pick<HostLedger, 'height' | 'blockBytes'>

/** The ids of the transactions in the blocks from `fromHeight` on, oldest first; `isComplete` is false if only the newest of them are listed, at most `most`. */
export function requestsFrom(ledger: ReadLedger, fromHeight: bigint, most: number): { ids: RequestId[]; isComplete: boolean } {
  const newestFirst: (readonly RequestId[])[] = []
  let count = 0
  for (let number = ledger.height() - 1n; number >= fromHeight; number--) {
    const ids = idsOf(ledger, number)
    count += ids.length
    if (count > most) return { ids: newestFirst.reverse().flat(), isComplete: false }
    newestFirst.push(ids)
  }
  return { ids: newestFirst.reverse().flat(), isComplete: true }
}

/** The blocks from `lowest` up to a head, with the ids of their transactions. */
interface Known {
  height: bigint
  hash: Uint8Array
  lowest: bigint
  count: number
  readonly blocks: Map<bigint, readonly RequestId[]>
}

/** The newest requests of the chain, read ahead while another engine is on trial: at the crossing there is no time for it. */
export class RecentRequests {
  private known: Known | undefined

  constructor(
    private readonly ledger: ReadLedger & Pick<HostLedger, 'info'>,
    /** Requests that are told, at most. */
    private readonly most: number,
    /** Runs a task in a later turn. */
    private readonly defer: (task: () => void) => void,
  ) {}

  /** To be called after each block: takes it in, and reads what is older in the turns to come. */
  follow(): void {
    const { known } = this
    const now = this.present()
    if (now !== known) this.readAhead(now)
  }

  /** All that `requestsFrom` would say of the whole chain. What was not read ahead is read now. */
  ids(): RequestId[] {
    const known = this.present()
    this.readOlder(known, Number.POSITIVE_INFINITY)
    const newestFirst: (readonly RequestId[])[] = []
    let count = 0
    for (let number = known.height - 1n; number >= known.lowest; number--) {
      const ids = known.blocks.get(number) ?? []
      count += ids.length
      if (count > this.most) break
      newestFirst.push(ids)
    }
    return newestFirst.reverse().flat()
  }

  forget(): void {
    this.known = undefined
  }

  /** What is known of the present chain; begins anew if it is not the known one with at most one block more, as after a transfer. */
  private present(): Known {
    const { known, ledger } = this
    const { height, currentBlockHash, previousBlockHash } = ledger.info()
    if (known && height === known.height && Buffer.compare(currentBlockHash, known.hash) === 0) return known
    if (known && height === known.height + 1n && Buffer.compare(previousBlockHash, known.hash) === 0) {
      known.height = height
      known.hash = currentBlockHash
      this.add(known, height - 1n)
      for (let oldest = known.blocks.get(known.lowest); oldest && known.count - oldest.length >= this.most; oldest = known.blocks.get(known.lowest)) {
        known.blocks.delete(known.lowest++)
        known.count -= oldest.length
      }
      return known
    }
    this.known = { height, hash: currentBlockHash, lowest: height, count: 0, blocks: new Map() }
    return this.known
  }

  private readAhead(known: Known): void {
    this.defer(() => {
      if (this.known === known && this.readOlder(known, READ_IN_A_TURN)) this.readAhead(known)
    })
  }

  /** Reads older blocks with about so many requests. True if there are more that are wanted. */
  private readOlder(known: Known, count: number): boolean {
    const enough = known.count + count
    while (known.lowest > 0n && known.count < this.most && known.count < enough) this.add(known, --known.lowest)
    return known.lowest > 0n && known.count < this.most
  }

  private add(known: Known, number: bigint): void {
    const ids = idsOf(this.ledger, number)
    known.blocks.set(number, ids)
    known.count += ids.length
  }
}

function idsOf(ledger: ReadLedger, number: bigint): readonly RequestId[] {
  const bytes = ledger.blockBytes(number)
  return bytes ? blockTransactions(bytes).map(requestId) : []
}
