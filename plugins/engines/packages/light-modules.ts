import type { Plugin } from 'esbuild'

const RESOLVED = Symbol('resolved')
/** Dependencies of Weft that an engine may come to need. */
const BUNDLED = /^(zod|@bufbuild\/protobuf)(\/|$)/

/**
 * Bundles of what Weft brings into an engine's process hold what is used and nothing else: Weft's modules do nothing but define, so those of which nothing is
 * used stay out, and with them the libraries that the peer needs. `isOwn`: whether a file is one of Weft's modules.
 */
export function lightModules(isOwn: (file: string) => boolean): Plugin {
  return {
    name: 'light-modules',
    setup(build) {
      build.onResolve({ filter: /^\.{1,2}\// }, async ({ path, importer, resolveDir, kind, pluginData }) => {
        if (pluginData === RESOLVED || !isOwn(importer)) return undefined
        const found = await build.resolve(path, { importer, resolveDir, kind, pluginData: RESOLVED })
        return found.errors.length > 0 ? found : { path: found.path, sideEffects: false }
      })
      build.onResolve({ filter: /^[^./]/ }, ({ path, importer }) =>
        isOwn(importer) && !BUNDLED.test(path) && !path.startsWith('weft') ? { path, external: true, sideEffects: false } : undefined,
      )
    },
  }
}
