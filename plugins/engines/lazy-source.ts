import type { Clock, Logger } from '../../kernel/index.js'
import type { EngineSource } from '../consensus/index.js'
import { onceItWorks } from '../sandbox/index.js'
import type { ProcessLimits } from './process/limits.js'

export interface LazySourceOptions {
  readonly limits: ProcessLimits
  readonly packages: readonly string[]
  readonly trusted: readonly string[]
  readonly options: Readonly<Record<string, unknown>>
  readonly dataDirectory: string
  readonly log: Logger
  readonly clock: Clock
  readonly run: (name: string, work: Promise<unknown>) => void
}

/** A source whose engines can be loaded before somebody asks for them. */
export interface WarmableSource extends EngineSource {
  /** Loads what the site names. Rejects with nothing: what cannot be used is logged. */
  warm(): Promise<void>
}

/** Loads what finds and runs packaged engines when somebody first asks for one: most peers never do. */
export function lazySource({ limits, packages, trusted, options, dataDirectory, log, clock, run }: LazySourceOptions): WarmableSource {
  const source = onceItWorks(async () => {
    const [{ PackagedEngines }, { EngineLoader }, { InstalledEngines }] = await Promise.all([
      import('./source.js'),
      import('./engine-package.js'),
      import('./installed.js'),
    ])
    return new PackagedEngines({
      loader: new EngineLoader(limits, log, clock),
      installed: new InstalledEngines(dataDirectory),
      packages,
      directory: process.cwd(),
      trusted,
      optionsOf: (name) => options[name] ?? {},
      run,
    })
  })
  return {
    find: async (name, version) => (await source()).find(name, version),
    warm: async () => (await source()).warm(log),
    list: async () => (await source()).list(),
  }
}
