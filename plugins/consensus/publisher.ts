import type { EngineHost } from './engine.js'

/** What an engine shows of itself. */
export interface Shown {
  /** Told whenever one of these has another value than last time. */
  readonly facts: Readonly<Record<string, string | number | boolean | undefined>>
  /** Shown beside them; changes of it alone are not worth telling. */
  readonly more?: () => Readonly<Record<string, unknown>>
  readonly metrics?: Readonly<Record<string, number>>
}

/** Tells the host's `status` and `metric`s, but only when something has changed: to be called after every event. */
export function createPublisher(host: Pick<EngineHost, 'status' | 'metric'>): (shown: Shown) => void {
  let told: string | undefined
  return ({ facts, more, metrics = {} }) => {
    const text = Object.values(facts).join(' ')
    if (text === told) return
    told = text
    host.status({ ...facts, ...more?.() })
    for (const [name, value] of Object.entries(metrics)) host.metric(name, value)
  }
}
