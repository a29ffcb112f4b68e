import type { Settings } from '../../kernel/index.js'
import type { InstalledNote } from './installed.js'
import type { enginesKeys } from './keys.js'

/** The installed engines of several peers of this machine, which may be running. */
export interface EngineShelf {
  /** Installs a package on every one of them; its code is loaded once, before. Rejects with ERR_ENGINE_PACKAGE, ERR_ENGINE_LOAD, ERR_ENGINE_TWICE. */
  install(path: string): Promise<InstalledNote>
  /** What at least one of them has, each version of a name once. */
  list(): Promise<readonly InstalledNote[]>
  /** Removes it wherever it is. */
  remove(name: string, version: string): Promise<void>
}

/** `dataDirectories`: `peer.fileSystemPath` of each. `warn` is told what the code prints while it is loaded. */
export async function engineShelf(
  dataDirectories: readonly string[],
  settings: Settings<typeof enginesKeys>,
  warn: (text: string) => void,
): Promise<EngineShelf> {
  const [{ installEngine }, { InstalledEngines }, { loaderFor }] = await Promise.all([
    import('./install.js'),
    import('./installed.js'),
    import('./commands/tools.js'),
  ])
  const loader = await loaderFor(settings, warn)
  const peers = dataDirectories.map((directory) => new InstalledEngines(directory))
  return {
    install: async (path) => (await installEngine(path, peers, loader)).note,
    async list() {
      const found = (await Promise.all(peers.map((peer) => peer.list()))).flat()
      return [...new Map(found.map((note) => [`${note.name}@${note.version}`, note])).values()]
    },
    async remove(name, version) {
      for (const peer of peers) if ((await peer.list()).some((note) => note.name === name && note.version === version)) await peer.remove(name, version)
    },
  }
}
