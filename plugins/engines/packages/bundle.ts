import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { BuildOptions } from 'esbuild'
import { PeerError } from '../../../kernel/index.js'
import { ownPackage } from '../../loader/index.js'
import { buildModule } from '../../sandbox/index.js'
import { guestLibrary } from './guest-library.js'
import { staysInside } from './stays-inside.js'

const MAX_BUNDLE_BYTES = 32 * 1024 * 1024

/** Errors say where they arose in the author's files, and what is imported and not there does not become undefined. */
const FOR_AUTHORS = { sourcemap: 'inline', sourcesContent: false, logOverride: { 'import-is-undefined': 'error' } } satisfies BuildOptions

/**
 * Bundles an engine with what it imports into the one module that its process gets. `weft` and `weft/...` are this peer's own, wherever the package lies.
 * `folder`: of the package, which has the entry.
 *
 * @throws PeerError ERR_ENGINE_LOAD naming what does not compile, cannot be found, or lies outside of the package
 */
export async function bundleEngine(folder: string, entry: string): Promise<Uint8Array> {
  const bundle = await buildModule('ERR_ENGINE_LOAD', {
    stdin: {
      // All of its exports: that there is no default one is for the engine's side to say.
      contents: `import * as engine from ${JSON.stringify(entry)}\nimport { serveEngine } from 'weft:serve'\nexport default (channel) => serveEngine(Reflect.get(engine, 'default'), channel)\n`,
      resolveDir: dirname(entry),
      sourcefile: 'engine',
      loader: 'js',
    },
    absWorkingDir: dirname(entry),
    platform: 'node',
    conditions: ['import', 'node', 'default'],
    ...FOR_AUTHORS,
    plugins: [guestLibrary(), staysInside(folder)],
  })
  if (bundle.length > MAX_BUNDLE_BYTES) throw new PeerError('ERR_ENGINE_LOAD', `its bundle has ${bundle.length} bytes, more than ${MAX_BUNDLE_BYTES}`)
  return bundle
}

/** The same for an engine that the site trusts to run inside the peer: Weft's modules are those that are running. */
export function bundleForPeer(entry: string): Promise<Uint8Array> {
  return buildModule('ERR_ENGINE_LOAD', {
    entryPoints: [entry],
    absWorkingDir: dirname(entry),
    platform: 'node',
    conditions: ['import', 'node', 'default'],
    ...FOR_AUTHORS,
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
