import type { Picture } from './model.js'
import { rowOf } from './row.js'

/** A moment, as programs read it: one object, the same members in every version that has them. */
export function sampleOf(picture: Picture): object {
  return {
    at: new Date(picture.wallMs).toISOString(),
    watching: picture.title,
    peers: picture.peers.map((peer) => {
      const { rates, reason, ...row } = rowOf(peer, picture.nowMs)
      return {
        ...row,
        ...(reason === '' ? {} : { reason }),
        transactionsPerSecond: rates.transactions,
        latencyMs: rates.latencyMs,
        cpu: rates.cpu,
        refusedPerSecond: rates.refused,
      }
    }),
    happenings: picture.happenings.map(({ atMs, ...happening }) => ({ at: new Date(atMs).toISOString(), ...happening })),
  }
}
