import { PeerError } from '../../kernel/index.js'
import type { EngineFactory, Member } from './engine/engine.js'
import { inProcess } from './session/runner.js'
import type { SeatMaker } from './engine/seat.js'

/** What is known of an engine without running it. */
export interface EngineDescription {
  readonly name: string
  readonly version: string
  readonly agreement: boolean
  tolerates(n: number): { readonly crashed: number; readonly byzantine: number }
}

/** An engine of this peer, wherever its code runs. */
export interface CatalogEngine extends EngineDescription {
  /** Lower-case hex of SHA-256 over the package's own files; undefined where the site's plugin list brought the engine, whose code the site vouches for. */
  readonly codeDigest: string | undefined
  /** In a process of its own. */
  readonly isolated: boolean
  /** Where its code is from, for people. */
  readonly origin: string
  /** The site's options for it, unparsed. */
  readonly options: unknown
  /**
   * Checks options as the engine does, and whether they fit `members`, if those are given. Resolves with what it made of them (of an isolated engine: as plain JSON).
   * Rejects with a PeerError that names what is wrong, or ERR_ENGINE_LOAD.
   */
  checkOptions(raw: unknown, members?: readonly Member[]): Promise<unknown>
  /** How to run it with these options, unparsed. Throws what `parseOptions` throws where it runs in process; else the seat's `fault` says so. */
  seat(raw: unknown): SeatMaker
  /** The next seat will be begun soon, and at once: whatever of that takes time is done now. Left out: nothing does. */
  prepare?(): void
  /** It will not be after all. */
  release?(): void
}

/** An engine in a list. */
export interface EngineListing {
  readonly name: string
  readonly version: string
  readonly codeDigest: string | undefined
  readonly isolated: boolean
  readonly origin: string
  /** Why it cannot be used. */
  readonly problem?: string
}

/** Brings engines that are looked for when somebody asks, such as installed ones. */
export interface EngineSource {
  /** The engine of that name (in any case) and version (any: the one that it prefers); undefined if it has none. Rejects with ERR_ENGINE_LOAD. */
  find(name: string, version: string | undefined): Promise<CatalogEngine | undefined>
  list(): Promise<readonly EngineListing[]>
}

/** The engines of this site: in-process ones that plugins register, and those of sources. Names are compared without case, as v0.6 does. */
export interface EngineCatalog {
  /** `options` are the site's; parsed by the factory. Throws ERR_ENGINE_TWICE for a name and version that is taken. */
  register(factory: EngineFactory<never> | EngineFactory, options: unknown): void
  addSource(source: EngineSource): void
  /** Names of the registered engines. */
  names(): readonly string[]
  /** Rejects with ERR_ENGINE_UNKNOWN if there is none, with ERR_ENGINE_LOAD if it cannot be loaded. Without a version: the registered one, else a source's. */
  find(name: string, version?: string): Promise<CatalogEngine>
  list(): Promise<readonly EngineListing[]>
}

/** The catalog of a peer. */
export class Engines implements EngineCatalog {
  private readonly engines: CatalogEngine[] = []
  private readonly sources: EngineSource[] = []

  register(factory: EngineFactory, options: unknown): void {
    const { name, version } = factory
    const taken = this.engines.some((other) => sameName(other.name, name) && other.version === version)
    if (taken) {
      throw new PeerError('ERR_ENGINE_TWICE', `the engine ${name} ${version} is registered already`, {
        hint: 'list its plugin once in the site, or give one of them another version',
      })
    }
    this.engines.push(ownEngine(factory, { origin: 'a plugin of this site', options }))
  }

  addSource(source: EngineSource): void {
    this.sources.push(source)
  }

  names(): readonly string[] {
    return this.engines.map(({ name }) => name)
  }

  async find(name: string, version?: string): Promise<CatalogEngine> {
    const registered = this.engines.findLast((engine) => sameName(engine.name, name) && (version === undefined || engine.version === version))
    if (registered) return registered
    for (const source of this.sources) {
      const found = await source.find(name, version)
      if (found) return found
    }
    const listed = (await this.list()).map((engine) => `${engine.name} ${engine.version}${engine.problem === undefined ? '' : ' (unusable)'}`)
    throw new PeerError(
      'ERR_ENGINE_UNKNOWN',
      `this peer has no engine '${name}'${version === undefined ? '' : ` of version ${version}`}; it has: ${listed.join(', ') || 'none'}`,
      { hint: 'add the plugin that brings it to the site, name its package in consensus.engines, or install it with peer engine install' },
    )
  }

  async list(): Promise<readonly EngineListing[]> {
    const registered = this.engines.map(({ name, version, codeDigest, isolated, origin }) => ({ name, version, codeDigest, isolated, origin }))
    const others = await Promise.all(this.sources.map((source) => source.list()))
    return [...registered, ...others.flat()]
  }
}

/** An engine that runs in this process. */
export function ownEngine<O>(
  factory: EngineFactory<O>,
  from: { readonly origin: string; readonly options: unknown; readonly codeDigest?: string },
): CatalogEngine {
  return {
    name: factory.name,
    version: factory.version,
    agreement: factory.agreement,
    tolerates: (n) => factory.tolerates(n),
    codeDigest: from.codeDigest,
    isolated: false,
    origin: from.origin,
    options: from.options,
    checkOptions: async (raw, members) => {
      const parsed = factory.parseOptions(raw)
      if (members) factory.checkMembers?.(parsed, members)
      return parsed
    },
    seat: (raw) => inProcess(factory, factory.parseOptions(raw)),
  }
}

function sameName(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase()
}
