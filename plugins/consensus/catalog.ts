import { PeerError } from '../../kernel/index.js'
import type { EngineCatalog } from './consensus.js'
import type { EngineFactory } from './engine.js'

/** An engine that a plugin registered, with the site's options for it. */
export interface RegisteredEngine {
  readonly factory: EngineFactory
  readonly options: unknown
}

/** The engines of this site. Names are compared without case, as v0.6 does. */
export class Engines implements EngineCatalog {
  private readonly engines: RegisteredEngine[] = []

  register(factory: EngineFactory, options: unknown): void {
    const { name, version } = factory
    const taken = this.engines.some(({ factory: other }) => sameName(other.name, name) && other.version === version)
    if (taken) {
      throw new PeerError('ERR_ENGINE_TWICE', `the engine ${name} ${version} is registered already`, {
        hint: 'list its plugin once in the site, or give one of them another version',
      })
    }
    this.engines.push({ factory, options })
  }

  names(): readonly string[] {
    return this.engines.map(({ factory }) => factory.name)
  }

  /** The engine of that name, the one registered last if there are several versions. Throws ERR_ENGINE_UNKNOWN. */
  get(name: string): RegisteredEngine {
    const found = this.engines.findLast(({ factory }) => sameName(factory.name, name))
    if (found) return found
    throw new PeerError(
      'ERR_ENGINE_UNKNOWN',
      `peer.validator.consensus.plugin names the engine '${name}'; registered are: ${this.names().join(', ') || 'none'}`,
      {
        hint: 'add the plugin that brings the engine to the site, or name another engine',
      },
    )
  }
}

function sameName(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase()
}
