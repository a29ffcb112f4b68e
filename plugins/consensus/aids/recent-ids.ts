/** Remembers the newest request ids in bounded memory, for engines that must not queue what they have seen lately. */
export interface RecentIds {
  add(id: string): void
  has(id: string): boolean
}

/** Two generations of half the bound each: between `limit / 2` and `limit` of the newest ids are known. `known` are there from the start, oldest first. */
export function createRecentIds(limit: number, known: Iterable<string> = []): RecentIds {
  let older = new Set<string>()
  let newer = new Set<string>()
  const add = (id: string): void => {
    newer.add(id)
    if (newer.size < limit / 2) return
    older = newer
    newer = new Set()
  }
  for (const id of known) add(id)
  return { add, has: (id) => newer.has(id) || older.has(id) }
}
