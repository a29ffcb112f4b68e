/** Entries in one answer to a range query (spec/chaincode.md §7). */
export const RANGE_BATCH = 100

/**
 * Reads up to `size` entries and one ahead, so that it is known whether more exist.
 *
 * @param ahead the entry that the batch before read ahead
 */
export async function readBatch<T>(entries: AsyncIterator<T>, ahead: T | undefined, size: number): Promise<{ batch: T[]; ahead: T | undefined }> {
  const batch: T[] = ahead === undefined ? [] : [ahead]
  for (;;) {
    const next = await entries.next()
    if (next.done === true) return { batch, ahead: undefined }
    if (batch.length === size) return { batch, ahead: next.value }
    batch.push(next.value)
  }
}
