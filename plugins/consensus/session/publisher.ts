import type { EngineHost } from '../engine/engine.js'

/** What an engine shows of itself. */
export interface Shown {
  /** Told whenever one of these has another value than last time. */
  readonly facts: Readonly<Record<string, string | number | boolean | undefined>>
  /** Shown beside them. A change of it alone is told with the next block, or a second after the last time, whichever an event comes after first. */
  readonly more?: () => Readonly<Record<string, unknown>>
  readonly metrics?: Readonly<Record<string, number>>
}

/** What changes alone is not told more often. */
const LEAST_MS = 1000

/**
 * Tells the host's `status` and `metric`s when there is news: to be called after every event. Facts are told at once, everything with each block that the chain grew by,
 * else once a second at most. `peer consensus status --all` and `peer top` read the view from `view`, `term` or `round` (the first that is there), and who leads from `leader`,
 * `primary` or `sequencer`: the id of a member, or its index.
 */
export function createPublisher(host: Pick<EngineHost, 'status' | 'metric' | 'head' | 'now'>): (shown: Shown) => void {
  let told: { readonly text: string; readonly height: bigint; readonly atMs: number } | undefined
  return ({ facts, more, metrics = {} }) => {
    const text = Object.values(facts).join(' ')
    const { now, head } = host
    if (told && text === told.text && head.height === told.height && now - told.atMs < LEAST_MS) return
    told = { text, height: head.height, atMs: now }
    host.status({ ...facts, ...more?.() })
    for (const [name, value] of Object.entries(metrics)) host.metric(name, value)
  }
}
