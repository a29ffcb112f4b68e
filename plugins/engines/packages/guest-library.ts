import { basename } from 'node:path'
import type { Plugin } from 'esbuild'
import { PeerError } from '../../../kernel/index.js'
import { ownPackage } from '../../loader/index.js'
import { onceItWorks, ownSource } from '../../sandbox/index.js'
import { lightModules } from './light-modules.js'

const NAMESPACE = 'weft-guest'
const ENTRIES: Readonly<Record<string, string>> = { weft: 'weft', 'weft/consensus': 'consensus', 'weft:serve': 'serve' }

/** What Weft brings into the processes of engines, bundled once for all of them: files by name. */
const library = onceItWorks(async () => {
  const esbuild = await import('esbuild')
  const own = ownPackage()
  const { outputFiles } = await esbuild.build({
    entryPoints: Object.fromEntries(Object.values(ENTRIES).map((name) => [name, ownSource(`plugins/engines/guest/${name}`)])),
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2023',
    platform: 'node',
    write: false,
    outdir: '/',
    legalComments: 'none',
    tsconfigRaw: {},
    logLevel: 'silent',
    plugins: [lightModules((file) => own.contains(file))],
  })
  return new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]))
})

/** Lets an engine's modules import `weft` and `weft/consensus`, which mean this peer's own, wherever the engine lies. */
export function guestLibrary(): Plugin {
  return {
    name: 'weft-in-engines',
    setup(build) {
      build.onResolve({ filter: /^weft(:serve|\/.*)?$/ }, ({ path }) => {
        const name = ENTRIES[path]
        if (name === undefined) return { errors: [{ text: `an engine in a process of its own may import weft and weft/consensus, but not ${path}` }] }
        return { path: `${name}.js`, namespace: NAMESPACE, sideEffects: false }
      })
      build.onResolve({ filter: /^\.\//, namespace: NAMESPACE }, ({ path }) => ({ path: basename(path), namespace: NAMESPACE, sideEffects: false }))
      build.onLoad({ filter: /./, namespace: NAMESPACE }, async ({ path }) => {
        const contents = (await library()).get(path)
        if (contents === undefined) throw new PeerError('ERR_ENGINE_LOAD', `Weft's own ${path} is missing`, { hint: 'reinstall weft' })
        return { contents, loader: 'js' }
      })
    },
  }
}
