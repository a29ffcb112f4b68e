import { PeerError } from '../../kernel/index.js'
import type { CatalogEngine, EngineCatalog } from '../../plugins/consensus/index.js'

/** What is wrong with an engine on one shelf: it is not there, or its package has other files. */
export type ShelfFault = 'missing' | 'other-code'

/** The engines of a simulated peer. */
export class EngineShelf implements Pick<EngineCatalog, 'find'> {
  readonly #faults = new Map<string, ShelfFault>()
  #changes = 0

  constructor(private readonly engines: readonly CatalogEngine[]) {}

  /** From now on something is wrong with an engine, in all its versions; or nothing any more. */
  spoil(name: string, fault: ShelfFault | undefined): void {
    this.#changes += 1
    if (fault === undefined) this.#faults.delete(name)
    else this.#faults.set(name, fault)
  }

  /** Whether this peer may rightly be unable to run some engine. */
  get isSpoilt(): boolean {
    return this.#faults.size > 0
  }

  /** How often something has become wrong or right: between two equal numbers nothing has. */
  get changes(): number {
    return this.#changes
  }

  /** What is wrong with an engine here. */
  faultOf(name: string): ShelfFault | undefined {
    return this.#faults.get(name)
  }

  find(name: string, version?: string): Promise<CatalogEngine> {
    const found = this.engines.find((engine) => engine.name === name && (version === undefined || engine.version === version))
    const fault = this.#faults.get(name)
    if (!found || fault === 'missing')
      return Promise.reject(new PeerError('ERR_ENGINE_UNKNOWN', `this peer has no engine '${name}'${version === undefined ? '' : ` of version ${version}`}`))
    return Promise.resolve(fault === 'other-code' ? { ...found, codeDigest: 'c0de' } : found)
  }
}
