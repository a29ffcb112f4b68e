import { RangeQueryState, RangeQueryStateClose, RangeQueryStateNext, RangeQueryStateResponse, decode, encode } from '../../../../proto/index.js'
import type { StateEntry } from '../../../ledger/index.js'
import type { CallState } from '../../runtime.js'
import { refusal } from '../errors.js'
import { texts } from '../texts.js'

/** Entries of one reply (spec/chaincode.md §7). */
const BATCH_SIZE = 100

interface OpenRange {
  readonly entries: AsyncIterator<StateEntry>
  /** The entry that was read ahead to know whether there are more. */
  ahead: StateEntry | undefined
}

/** The range queries of one call. Each method returns a serialised RangeQueryStateResponse. */
export class RangeQueries {
  private readonly open = new Map<string, OpenRange>()

  constructor(
    private readonly state: CallState,
    private readonly newId: () => string,
  ) {}

  async start(payload: Uint8Array): Promise<Uint8Array> {
    const { startKey, endKey } = decode(RangeQueryState, payload)
    const range: OpenRange = { entries: this.state.range(startKey, endKey)[Symbol.asyncIterator](), ahead: undefined }
    return this.batch(this.newId(), range)
  }

  async next(payload: Uint8Array): Promise<Uint8Array> {
    const { ID } = decode(RangeQueryStateNext, payload)
    const range = this.open.get(ID)
    if (range === undefined) throw refusal(texts.iteratorNotFound)
    return this.batch(ID, range)
  }

  /** Closing what is closed or unknown is normal: the Go shim always does it. */
  async close(payload: Uint8Array): Promise<Uint8Array> {
    const { ID } = decode(RangeQueryStateClose, payload)
    const range = this.open.get(ID)
    this.open.delete(ID)
    await range?.entries.return?.()
    return encode(RangeQueryStateResponse, { keysAndValues: [], hasMore: false, ID })
  }

  private async batch(ID: string, range: OpenRange): Promise<Uint8Array> {
    const keysAndValues: StateEntry[] = []
    if (range.ahead !== undefined) keysAndValues.push(range.ahead)
    range.ahead = undefined
    let hasMore = false
    while (!hasMore) {
      const { done, value } = await range.entries.next()
      if (done) break
      if (keysAndValues.length === BATCH_SIZE) {
        range.ahead = value
        hasMore = true
      } else keysAndValues.push(value)
    }
    if (hasMore) this.open.set(ID, range)
    else this.open.delete(ID)
    return encode(RangeQueryStateResponse, { keysAndValues, hasMore, ID })
  }
}
