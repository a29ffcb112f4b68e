import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Plugin } from 'esbuild'
import { PeerError } from '../../../kernel/index.js'
import { ownPackage } from '../../loader/index.js'
import { buildModule, ownSource } from '../../sandbox/index.js'
import { lightModules } from './light-modules.js'

const MAX_BUNDLE_BYTES = 32 * 1024 * 1024

/**
 * Bundles an engine with what it imports into the one module that its process gets. `weft` and `weft/...` are this peer's own, wherever the package lies.
 *
 * @throws PeerError ERR_ENGINE_LOAD naming what does not compile or cannot be found
 */
export async function bundleEngine(entry: string): Promise<Uint8Array> {
  const own = ownPackage()
  const bundle = await buildModule('ERR_ENGINE_LOAD', {
    stdin: {
      contents: `import engine from ${JSON.stringify(entry)}\nimport { serveEngine } from 'weft:serve'\nexport default (channel) => serveEngine(engine, channel)\n`,
      resolveDir: dirname(entry),
      sourcefile: 'engine',
      loader: 'js',
    },
    absWorkingDir: dirname(entry),
    platform: 'node',
    conditions: ['import', 'node', 'default'],
    plugins: [ownModules(), lightModules((file) => own.contains(file))],
  })
  if (bundle.length > MAX_BUNDLE_BYTES) throw new PeerError('ERR_ENGINE_LOAD', `the bundle of ${entry} has ${bundle.length} bytes, more than ${MAX_BUNDLE_BYTES}`)
  return bundle
}

/** The same for an engine that the site trusts to run inside the peer: Weft's modules are those that are running. */
export function bundleForPeer(entry: string): Promise<Uint8Array> {
  return buildModule('ERR_ENGINE_LOAD', {
    entryPoints: [entry],
    absWorkingDir: dirname(entry),
    platform: 'node',
    conditions: ['import', 'node', 'default'],
    plugins: [
      {
        name: 'running-weft',
        setup(build) {
          build.onResolve({ filter: /^weft(\/.*)?$/ }, ({ path }) => ({ path: pathToFileURL(ownPackage().entry(path)).href, external: true }))
        },
      },
    ],
  })
}

/** `weft` and `weft/consensus` mean what this peer brings for engines. */
function ownModules(): Plugin {
  return {
    name: 'weft-in-engines',
    setup(build) {
      build.onResolve({ filter: /^weft(:serve|\/.*)?$/ }, ({ path }) => {
        const module = MODULES[path]
        if (module === undefined) return { errors: [{ text: `an engine in a process of its own may import weft and weft/consensus, but not ${path}` }] }
        return { path: ownSource(module), sideEffects: false }
      })
    },
  }
}

const MODULES: Readonly<Record<string, string>> = {
  weft: 'plugins/engines/guest/weft',
  'weft/consensus': 'plugins/engines/guest/consensus',
  'weft:serve': 'plugins/engines/guest/serve',
}
