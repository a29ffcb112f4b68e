import { builtinModules } from 'node:module'
import { basename, dirname, isAbsolute, relative, resolve } from 'node:path'
import { stat } from 'node:fs/promises'
import type { Plugin } from 'esbuild'
import { PeerError } from '../../../kernel/index.js'
import { buildModule, ownSource } from '../../sandbox/index.js'

const SOURCE_FILE = /\.[mc]?[jt]s$/
const BUILTINS = new Set(builtinModules)

/**
 * Bundles a chaincode, its own imports and the API into one ESM file. The same sources give the same bytes wherever they lie:
 * no paths, no times, no tsconfig.json, no environment.
 *
 * @param path a source file, or a folder with index.ts
 * @throws PeerError ERR_CHAINCODE_PACKAGE naming file and import, or what does not compile
 */
export async function bundleChaincode(path: string, maxBytes: number): Promise<Uint8Array> {
  const entry = await entryFile(path)
  const bundle = await buildModule('ERR_CHAINCODE_PACKAGE', {
    stdin: {
      contents: `import chaincode from ${JSON.stringify(`./${basename(entry)}`)}\nimport { serveCalls } from 'weft:serve'\nexport default (channel) => serveCalls(chaincode, channel)\n`,
      resolveDir: dirname(entry),
      sourcefile: 'deployed',
      loader: 'js',
    },
    absWorkingDir: dirname(entry),
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['import', 'default'],
    plugins: [importRules()],
  })
  if (bundle.length > maxBytes) {
    throw new PeerError('ERR_CHAINCODE_PACKAGE', `the bundle of ${path} has ${bundle.length} bytes, more than ${maxBytes}`, {
      hint: 'import less, or raise the limit of the launcher on every validator',
    })
  }
  return bundle
}

/** What chaincode may import: files, packages, `weft/chaincode`. */
function importRules(): Plugin {
  return {
    name: 'chaincode-imports',
    setup(build) {
      build.onResolve({ filter: /^weft:serve$/ }, () => ({ path: ownSource('plugins/chaincode/node/guest/serve') }))
      build.onResolve({ filter: /^weft(\/.*)?$/ }, ({ path }) =>
        path === 'weft/chaincode'
          ? { path: ownSource('plugins/chaincode/api/deployed') }
          : { errors: [{ text: `chaincode may import weft/chaincode, but not ${path}` }] },
      )
      build.onResolve({ filter: /^[^./]/ }, ({ path, importer, resolveDir }) => {
        if (!path.startsWith('node:') && !BUILTINS.has(path)) return undefined
        const file = importer === '' || !isAbsolute(importer) ? importer : relative(resolveDir, importer)
        return {
          errors: [{ text: `${file} imports ${path}: deployed chaincode has no files, network, processes or clock, only its stub and plain JavaScript` }],
        }
      })
    },
  }
}

async function entryFile(path: string): Promise<string> {
  const absolute = resolve(path)
  const candidates = SOURCE_FILE.test(absolute) ? [absolute] : ['index.ts', 'index.mts', 'index.js', 'index.mjs'].map((name) => resolve(absolute, name))
  for (const candidate of candidates) {
    // A missing file is an expected answer here; other errors are not.
    const found = await stat(candidate).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
      throw error
    })
    if (found?.isFile() === true) return candidate
  }
  throw new PeerError('ERR_CHAINCODE_PACKAGE', `no chaincode source at ${path}: expected a .ts or .js file, or a folder with index.ts`)
}
