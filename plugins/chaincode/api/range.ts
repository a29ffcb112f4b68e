import { text } from './bytes.js'
import type { RangeCursor } from './port.js'
import type { RangeEntry } from './types.js'

/** The call that a range belongs to. */
export interface RangeOwner {
  /** Throws once the call has ended. */
  assertOpen(): void
  /** Makes the call wait for a request. */
  track<T>(request: Promise<T>): Promise<T>
  open(): RangeCursor
  /** Closes a cursor, unless the end of the call has done so. */
  close(cursor: RangeCursor): Promise<void>
}

/** Entries of a range, batch by batch. The cursor is opened with the first entry and closed when the iteration ends, however it ends. */
export async function* iterateRange(owner: RangeOwner): AsyncGenerator<RangeEntry, void, undefined> {
  owner.assertOpen()
  const cursor = owner.open()
  try {
    for (;;) {
      owner.assertOpen()
      const batch = await owner.track(cursor.next())
      if (batch === undefined) return
      for (const { key, value } of batch) yield { key, keyString: text(key), value }
    }
  } finally {
    await owner.close(cursor)
  }
}
