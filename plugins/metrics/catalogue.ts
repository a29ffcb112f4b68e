import { type Logger, PeerError, messageOf } from '../../kernel/index.js'
import { type Distribution, type Labels, METRIC_UNITS, type MetricSpec, type Reading, type Sample } from './metrics.js'

/** Lines that one metric may have; a label whose values never end must not fill the memory of who scrapes. */
const MAX_SAMPLES = 1000

/** One metric with all that a reader needs of it. */
export interface Entry {
  readonly type: 'gauge' | 'counter' | 'histogram'
  readonly spec: MetricSpec
}

interface Readable extends Entry {
  readonly read: () => Reading | Promise<Reading>
}

interface ReadableHistogram extends Entry {
  readonly read: () => Iterable<Distribution>
}

/** All metrics of a peer, by name. */
export class Catalogue {
  readonly #values = new Map<string, Readable>()
  readonly #histograms = new Map<string, ReadableHistogram>()
  readonly #failing = new Set<string>()
  /** Counts additions and removals, so that who prepared something for these metrics sees when to do it again. */
  version = 0
  failedReads = 0
  cutSamples = 0

  constructor(private readonly log: Logger) {}

  addValue(type: 'gauge' | 'counter', spec: MetricSpec, read: Readable['read']): () => void {
    this.#check(type, spec)
    return this.#enter(this.#values, { type, spec, read })
  }

  addHistogram(spec: MetricSpec, read: ReadableHistogram['read']): () => void {
    this.#check('histogram', spec)
    return this.#enter(this.#histograms, { type: 'histogram', spec, read })
  }

  /** By name. */
  entries(): Entry[] {
    return [...this.#values.values(), ...this.#histograms.values()].sort((a, b) => (a.spec.name < b.spec.name ? -1 : 1))
  }

  /** The values of a gauge or counter; none if reading fails, which is logged and counted. */
  async values(name: string): Promise<readonly Sample[]> {
    try {
      const found = await this.#values.get(name)?.read()
      const samples = found === undefined ? [] : typeof found === 'number' ? [{ value: found }] : [...found]
      this.#failing.delete(name)
      return this.#bounded(samples.filter(({ value }) => Number.isFinite(value)))
    } catch (cause) {
      return this.#failed(name, cause)
    }
  }

  distributions(name: string): readonly Distribution[] {
    try {
      const found = [...(this.#histograms.get(name)?.read() ?? [])]
      this.#failing.delete(name)
      return this.#bounded(found)
    } catch (cause) {
      return this.#failed(name, cause)
    }
  }

  #enter<E extends Entry>(entries: Map<string, E>, entry: E): () => void {
    const { name } = entry.spec
    entries.set(name, entry)
    this.version++
    return () => {
      if (entries.get(name) !== entry) return
      entries.delete(name)
      this.version++
    }
  }

  #check(type: Entry['type'], { name, labels = [] }: MetricSpec): void {
    const unit = /^peer(?:_[a-z][a-z0-9]*){2,}_([a-z]+)$/.exec(name)?.[1]
    if (unit === undefined || !METRIC_UNITS.includes(unit) || (type === 'counter') !== (unit === 'total')) {
      throw new PeerError('ERR_METRIC_NAME', `expected peer_<area>_<what>_<unit> as the name of a ${type}, found ${name}`, {
        hint: `a counter ends with total, everything else with one of ${METRIC_UNITS.filter((word) => word !== 'total').join(', ')}`,
      })
    }
    const wrong = labels.find((label) => !/^[a-z][a-z0-9_]*$/.test(label) || label === 'le')
    if (wrong !== undefined) throw new PeerError('ERR_METRIC_NAME', `metric ${name}: expected label names such as listener, found ${wrong}`)
    if (this.#values.has(name) || this.#histograms.has(name)) throw new PeerError('ERR_METRIC_TWICE', `the metric ${name} is there already`)
  }

  #bounded<T extends { readonly labels?: Labels }>(samples: readonly T[]): readonly T[] {
    if (samples.length <= MAX_SAMPLES) return samples
    this.cutSamples += samples.length - MAX_SAMPLES
    return samples.slice(0, MAX_SAMPLES)
  }

  #failed(name: string, cause: unknown): readonly [] {
    this.failedReads++
    // Once, until it can be read again: scrapes come every few seconds.
    if (!this.#failing.has(name)) this.log.warning(`the metric ${name} cannot be read: ${messageOf(cause)}`)
    this.#failing.add(name)
    return []
  }
}
