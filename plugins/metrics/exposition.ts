import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Catalogue, Entry } from './catalogue.js'
import type { Distribution } from './metrics.js'

/** Writes the metrics of a catalogue in the text format of Prometheus. Loaded when somebody asks for the first time. */
export class Exposition {
  #registry = new Registry()
  #version = -1

  constructor(private readonly catalogue: Catalogue) {}

  get contentType(): string {
    return this.#registry.contentType
  }

  async text(): Promise<string> {
    if (this.#version !== this.catalogue.version) await this.#prepare()
    return this.#registry.metrics()
  }

  async #prepare(): Promise<void> {
    const { version } = this.catalogue
    const registry = new Registry()
    for (const entry of this.catalogue.entries()) await this.#register(registry, entry)
    this.#registry = registry
    this.#version = version
  }

  async #register(registry: Registry, { type, spec }: Entry): Promise<void> {
    const { catalogue } = this
    const { name, help } = spec
    const options = { name, help, labelNames: [...(spec.labels ?? [])], registers: [] }
    if (type === 'gauge') {
      const gauge = new Gauge({
        ...options,
        async collect() {
          const samples = await catalogue.values(name)
          this.reset()
          // What has no labels is 0 after that, where nothing at all is meant.
          if (spec.labels === undefined) this.remove()
          for (const { labels = {}, value } of samples) this.set(labels, value)
        },
      })
      registry.registerMetric(gauge)
    } else if (type === 'counter') {
      const counter = new Counter({
        ...options,
        async collect() {
          const samples = await catalogue.values(name)
          this.reset()
          if (spec.labels === undefined) this.remove()
          for (const { labels = {}, value } of samples) this.inc(labels, value)
        },
      })
      registry.registerMetric(counter)
    } else {
      const shape = await new Histogram(options).get()
      registry.registerMetric(new PulledHistogram(options, shape, () => catalogue.distributions(name)))
    }
  }
}

type Shape = Awaited<ReturnType<Histogram['get']>>

/** A histogram whose classes were counted elsewhere: prom-client's own counts every observation itself. */
class PulledHistogram extends Histogram {
  constructor(
    options: ConstructorParameters<typeof Histogram>[0],
    private readonly shape: Shape,
    private readonly read: () => readonly Distribution[],
  ) {
    super(options)
  }

  override async get(): Promise<Shape> {
    return { ...this.shape, values: this.read().flatMap((distribution) => this.lines(distribution)) }
  }

  /** What the registry asks for when it writes text. */
  getForPromString(): Promise<Shape> {
    return this.get()
  }

  private lines({ labels = {}, bounds, counts, sum }: Distribution): Shape['values'] {
    const { name } = this.shape
    let upTo = 0
    const classes = counts.map((count, index) => {
      upTo += count
      return { metricName: `${name}_bucket`, labels: { ...labels, le: bounds[index] ?? '+Inf' }, value: upTo }
    })
    return [...classes, { metricName: `${name}_sum`, labels, value: sum }, { metricName: `${name}_count`, labels, value: upTo }]
  }
}
