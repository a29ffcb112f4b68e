import { type Clock, type Logger, messageOf, PeerError } from '../../kernel/index.js'
import { type CatalogEngine, type EngineStart, ownEngine } from '../consensus/index.js'
import { rememberBundle } from '../loader/index.js'
import { onceItWorks } from '../sandbox/index.js'
import { type Description, EngineInquiry, MAX_MEMBERS } from './ask.js'
import { engineFactory } from './factory.js'
import { bundleEngine, bundleForPeer } from './packages/bundle.js'
import { entryOf, type PackageManifest, readManifest } from './packages/manifest.js'
import { codeDigest, ownFiles } from './packages/own-files.js'
import { createEngineLauncher, type LaunchEngine } from './process/launch.js'
import type { ProcessLimits } from './process/limits.js'
import { inOwnProcess, optionsJson } from './process/process-seat.js'
import { RestartRows } from './process/restart-rows.js'
import { SpareProcess } from './process/spare.js'

/** The code of an engine, with what it says of itself. */
export interface LoadedPackage {
  readonly folder: string
  readonly codeDigest: string
  readonly description: Description
  readonly bundle: () => Promise<Uint8Array>
  readonly rows: RestartRows
  /** What the engine made of options, by their JSON. */
  readonly checked: ReadonlyMap<string, Promise<unknown>>
}

interface Unasked {
  readonly folder: string
  readonly manifest: PackageManifest
  readonly digest: string
  readonly optionsOf: (name: string) => unknown
}

/** Loads engines from the folders of their packages, each digest once; their code runs in processes of their own alone. */
export class EngineLoader {
  private readonly loaded = new Map<string, Promise<LoadedPackage>>()
  private readonly trusted = new Map<string, Promise<unknown>>()
  private readonly launch: LaunchEngine

  constructor(
    private readonly limits: ProcessLimits,
    log: Logger,
    clock: Clock,
  ) {
    this.launch = createEngineLauncher(limits, log, clock)
  }

  /**
   * Reads a package and asks its code who it is, and, in the same breath, what it makes of the options that it will get. Rejects with ERR_ENGINE_PACKAGE or
   * ERR_ENGINE_LOAD.
   */
  async load(folder: string, optionsOf: (name: string) => unknown = () => ({})): Promise<LoadedPackage> {
    const manifest = await readManifest(folder)
    const digest = codeDigest(await ownFiles(folder, manifest))
    const key = `${digest} ${folder}`
    const known = this.loaded.get(key)
    if (known) return known
    // Also for those who ask meanwhile: one process tells all of them.
    const asking = this.ask({ folder, manifest, digest, optionsOf })
    this.loaded.set(key, asking)
    try {
      return await asking
    } catch (error) {
      this.loaded.delete(key)
      throw error
    }
  }

  private async ask({ folder, manifest, digest, optionsOf }: Unasked): Promise<LoadedPackage> {
    const bundle = onceItWorks(async () =>
      bundleEngine(folder, await entryOf(folder, manifest)).catch((cause: unknown) => Promise.reject(notBundled(manifest.name, cause))),
    )
    const checked = new Map<string, Promise<unknown>>()
    const description = await this.inquiry(manifest.name, bundle).inquire(async (engine) => {
      const said = await engine.describe()
      const json = optionsJson(optionsOf(said.name))
      const checking = engine.check(json)
      checked.set(json, checking)
      await checking.catch(() => undefined) // Whoever asks about these options is told.
      return said
    })
    return { folder, codeDigest: digest, description, bundle, checked, rows: new RestartRows() }
  }

  /** The engine in a process of its own. */
  isolated(
    { folder, codeDigest: digest, description, bundle, checked, rows }: LoadedPackage,
    from: { readonly options: unknown; readonly begins?: (start: EngineStart) => void },
  ): CatalogEngine {
    const { name, version, agreement, tolerances, checksMembers } = description
    const spare = new SpareProcess(async () => this.launch(`engine ${name} ${version}`, await bundle()))
    const begins = from.begins === undefined ? {} : { begins: from.begins }
    return {
      name,
      version,
      agreement,
      tolerates(n) {
        const [crashed, byzantine] = tolerances[n - 1] ?? []
        if (crashed !== undefined && byzantine !== undefined) return { crashed, byzantine }
        throw new PeerError('ERR_ENGINE_LOAD', `an engine in a process of its own is for 1 to ${MAX_MEMBERS} members; found ${n}`)
      },
      codeDigest: digest,
      isolated: true,
      origin: folder,
      options: from.options,
      checkOptions: async (raw, members) => {
        const json = optionsJson(raw)
        const known = members && checksMembers ? undefined : checked.get(json)
        return known ?? this.inquiry(name, bundle).inquire((engine) => engine.check(json, members))
      },
      seat: (raw) => inOwnProcess(raw, { launch: () => spare.take(), limits: this.limits, rows, ...begins }),
      prepare: () => spare.prepare(),
      release: () => spare.discard(),
    }
  }

  /** The engine inside the peer: the site says that it trusts it. Its code is imported once for each digest; it stays for the life of the process. */
  async insidePeer({ folder, codeDigest: digest }: LoadedPackage, from: { readonly options: unknown }): Promise<CatalogEngine> {
    const importing = this.trusted.get(digest) ?? this.importModule(folder)
    this.trusted.set(digest, importing)
    try {
      return ownEngine(engineFactory(await importing), { origin: folder, options: from.options, codeDigest: digest })
    } catch (cause) {
      this.trusted.delete(digest)
      throw new PeerError('ERR_ENGINE_LOAD', `the engine of ${folder} cannot be loaded into the peer: ${messageOf(cause)}`, { cause })
    }
  }

  private async importModule(folder: string): Promise<unknown> {
    const entry = await entryOf(folder, await readManifest(folder))
    const code = Buffer.from(await bundleForPeer(entry)).toString()
    rememberBundle(entry, code)
    const named = Buffer.from(`${code}\n//# sourceURL=${entry}\n`).toString('base64')
    const module: { readonly default?: unknown } = await import(`data:text/javascript;base64,${named}`)
    return module.default
  }

  private inquiry(name: string, bundle: () => Promise<Uint8Array>): EngineInquiry {
    return new EngineInquiry(async () => this.launch(`engine ${name}`, await bundle()), this.limits.startTimeoutMs)
  }
}

/** What does not compile, or is not there, is the author's to mend. */
function notBundled(name: string, cause: unknown): PeerError {
  return new PeerError('ERR_ENGINE_LOAD', `the code of ${name} cannot be put together: ${messageOf(cause)}`, {
    cause,
    hint: 'an engine is JavaScript, TypeScript or JSON of its own files, with its dependencies bundled into them when it is built; it runs alone, as one module',
  })
}
