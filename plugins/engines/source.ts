import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type Logger, messageOf, PeerError } from '../../kernel/index.js'
import type { CatalogEngine, EngineListing, EngineSource } from '../consensus/index.js'
import type { EngineLoader, LoadedPackage } from './engine-package.js'
import { compareVersions, type InstalledEngine, type InstalledEngines } from './installed.js'

export interface PackagedEnginesOptions {
  readonly loader: EngineLoader
  readonly installed: InstalledEngines
  /** Names of packages, or paths of their folders. */
  readonly packages: readonly string[]
  readonly directory: string
  /** Names of engines that run inside the peer. */
  readonly trusted: readonly string[]
  readonly optionsOf: (name: string) => unknown
  /** Owns work that nobody awaits. */
  readonly run: (name: string, work: Promise<unknown>) => void
}

/** The engines of packages that the site names and of packages that were installed. Looked for when somebody asks: an install needs no restart. */
export class PackagedEngines implements EngineSource {
  /** Which engine a package that the site names brought when it was last read. */
  private readonly names = new Map<string, string>()

  constructor(private readonly options: PackagedEnginesOptions) {}

  /** Without a version: the one of a package that the site names, else the newest installed. */
  async find(name: string, version: string | undefined): Promise<CatalogEngine | undefined> {
    const { installed } = this.options
    const named = await this.findNamed(name, version)
    if (named) return this.engine(named)
    const candidates = (await installed.list()).filter((engine) => isWanted(engine, name, version))
    const newest = candidates.sort((left, right) => compareVersions(left.version, right.version)).at(-1)
    return newest && this.engine(await this.installedPackage(newest), newest)
  }

  /** Of the packages that the site names. Those that brought another engine when they were last read are read only if none of the others has it: a swap under load asks several times. */
  private async findNamed(name: string, version: string | undefined): Promise<LoadedPackage | undefined> {
    const isOther = (named: string): boolean => !same(this.names.get(named) ?? name, name)
    const { packages } = this.options
    for (const named of [...packages.filter((each) => !isOther(each)), ...packages.filter(isOther)]) {
      const loaded = await this.read(named)
      if (isWanted(loaded.description, name, version)) return loaded
    }
    return undefined
  }

  /** Loads the package that the site calls so. */
  private async read(named: string): Promise<LoadedPackage> {
    const { loader, optionsOf } = this.options
    const loaded = await loader.load(this.folderOf(named), optionsOf)
    this.names.set(named, loaded.description.name)
    return loaded
  }

  /** Loads the engines of packages that the site names, one after the other: whoever asks for one later need not wait, and what is wrong with one is said now. */
  async warm(log: Logger): Promise<void> {
    for (const named of this.options.packages) {
      try {
        await this.engine(await this.read(named))
      } catch (error) {
        log.warning('an engine that consensus.engines names cannot be used', { package: named, reason: messageOf(error) })
      }
    }
  }

  async list(): Promise<readonly EngineListing[]> {
    const { packages, loader, installed, trusted } = this.options
    const isolated = (name: string): boolean => !trusted.some((other) => same(other, name))
    const listed: EngineListing[] = []
    for (const named of packages) {
      try {
        const { description, codeDigest, folder } = await loader.load(this.folderOf(named))
        listed.push({ name: description.name, version: description.version, codeDigest, isolated: isolated(description.name), origin: folder })
      } catch (error) {
        listed.push({ name: named, version: '', codeDigest: undefined, isolated: true, origin: named, problem: messageOf(error) })
      }
    }
    const damaged = (folder: string, problem: string): void =>
      void listed.push({ name: folder, version: '', codeDigest: undefined, isolated: true, origin: folder, problem })
    for (const { name, version, codeDigest, folder } of await installed.list(damaged)) {
      listed.push({ name, version, codeDigest, isolated: isolated(name), origin: folder })
    }
    return listed
  }

  private async installedPackage(engine: InstalledEngine): Promise<LoadedPackage> {
    const loaded = await this.options.loader.load(engine.folder, this.options.optionsOf)
    if (loaded.codeDigest === engine.codeDigest) return loaded
    throw new PeerError('ERR_ENGINE_LOAD', `the code of ${engine.name}@${engine.version} in ${engine.folder} is not what was installed`, {
      hint: 'remove it and install it again',
    })
  }

  private engine(loaded: LoadedPackage, installed?: InstalledEngine): Promise<CatalogEngine> | CatalogEngine {
    const { loader, trusted, optionsOf, run } = this.options
    const { name, version } = loaded.description
    const options = optionsOf(name)
    if (trusted.some((other) => same(other, name))) return loader.insidePeer(loaded, { options })
    if (!installed) return loader.isolated(loaded, { options })
    return loader.isolated(loaded, { options, begins: () => run('note the engine in use', this.options.installed.begun(name, version)) })
  }

  private folderOf(named: string): string {
    const { directory } = this.options
    if (/^(\.{0,2}\/|\.{1,2}$)/.test(named)) return resolve(directory, named)
    for (let at = directory; ; at = dirname(at)) {
      const folder = join(at, 'node_modules', named)
      if (existsSync(join(folder, 'package.json'))) return folder
      if (dirname(at) === at) break
    }
    throw new PeerError('ERR_ENGINE_PACKAGE', `consensus.engines names the package ${named}, which is in no node_modules from ${directory} upwards`, {
      hint: `npm install ${named}, or give the path of its folder, beginning with ./`,
    })
  }
}

function isWanted(engine: { readonly name: string; readonly version: string }, name: string, version: string | undefined): boolean {
  return same(engine.name, name) && (version === undefined || engine.version === version)
}

function same(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase()
}
