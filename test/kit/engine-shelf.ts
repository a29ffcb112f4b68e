import type { CatalogEngine, EngineCatalog } from '../../plugins/consensus/index.js'

/** The engines of a simulated peer. */
export class EngineShelf implements Pick<EngineCatalog, 'find'> {
  constructor(private readonly engines: readonly CatalogEngine[]) {}

  find(name: string, version?: string): Promise<CatalogEngine> {
    const found = this.engines.find((engine) => engine.name === name && (version === undefined || engine.version === version))
    return found ? Promise.resolve(found) : Promise.reject(new Error(`this peer has no engine ${name} ${version ?? ''}`))
  }
}
