import type { pbft } from '../../../proto/index.js'
import type { Target } from './core-events.js'

type ViewChange = pbft.ViewChange

/** What the rules of a new view count with. */
export interface Sizes {
  readonly f: number
  readonly quorum: number
  readonly L: number
}

/** §9.5 */
export function initialCheckpoint(vset: readonly ViewChange[], { f, quorum }: Sizes): Target | undefined {
  const groups = new Map<string, { n: number; id: string; replicas: number[] }>()
  for (const { cset, replicaId } of vset)
    for (const { sequenceNumber: n, id } of cset) {
      const key = `${n} ${id}`
      const group = groups.get(key) ?? { n, id, replicas: [] }
      groups.set(key, group)
      group.replicas.push(replicaId)
    }
  let best: { n: number; id: string; replicas: number[] } | undefined
  for (const group of groups.values()) {
    if (group.replicas.length <= f || vset.filter(({ h }) => h <= group.n).length < quorum) continue
    if (!best || group.n > best.n) best = group
  }
  return best && { n: best.n, id: Buffer.from(best.id, 'base64'), replicas: best.replicas }
}

/** §9.6 */
export function assign(vset: readonly ViewChange[], base: number, { f, quorum, L }: Sizes): Map<number, string> | undefined {
  const x = new Map<number, string>()
  let last = base + 1
  numbers: for (let n = base + 1; n <= base + L; n++) {
    for (const { pset } of vset)
      for (const e of pset) {
        const speaks = (m: ViewChange): boolean =>
          m.pset.every((p) => p.sequenceNumber !== n || p.view < e.view || (p.view === e.view && p.batchDigest === e.batchDigest))
        if (vset.filter((m) => m.h < n && speaks(m)).length < quorum) continue
        let vouching = 0
        for (const m of vset) for (const q of m.qset) if (q.sequenceNumber === n && q.view >= e.view && q.batchDigest === e.batchDigest) vouching++
        if (vouching < f + 1) continue
        x.set(n, e.batchDigest)
        last = n
        continue numbers
      }
    if (vset.filter(({ pset }) => !pset.some((p) => p.sequenceNumber === n)).length < quorum) return undefined
    x.set(n, '')
  }
  for (const [n, d] of x) if (n > last && d === '') x.delete(n)
  return x
}
