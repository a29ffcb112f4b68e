/** Remembers the newest request ids in bounded memory, for engines that must not queue what they have seen lately. */
export interface RecentIds {
  add(id: string): void
  has(id: string): boolean
}

/** Two generations of half the bound each: between `limit / 2` and `limit` of the newest ids are known. */
export function createRecentIds(limit: number): RecentIds {
  let older = new Set<string>()
  let newer = new Set<string>()
  return {
    add(id) {
      newer.add(id)
      if (newer.size < limit / 2) return
      older = newer
      newer = new Set()
    },
    has: (id) => newer.has(id) || older.has(id),
  }
}
