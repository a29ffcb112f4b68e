import { readdirSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { defineConfig, type Options } from 'tsup'
import { lightModules } from '../plugins/engines/packages/light-modules.js'

const plugins = readdirSync('plugins', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => `plugins/${entry.name}/index.ts`)

// Bundled into what is deployed, or into its process, at run time: files that a running peer must find.
const guest = [
  'plugins/chaincode/api/deployed.ts',
  'plugins/chaincode/node/guest/serve.ts',
  'plugins/chaincode/node/guest/bootstrap.ts',
  'plugins/chaincode/external/process/guest/relay.ts',
  'plugins/engines/guest/bootstrap.ts',
]
// What engines in processes of their own get of Weft: a graph of its own, without what the peer alone needs.
const engineGuest = ['plugins/engines/guest/serve.ts', 'plugins/engines/guest/weft.ts', 'plugins/engines/guest/consensus.ts']

// Declarations are emitted by tsc (tsconfig.build.json), which takes seconds where bundling them takes minutes.
// One ESM graph with shared chunks, so that a class or token is the same object whichever entry it came through.
// Two builds into one folder: neither may clean up while the other writes.
rmSync('dist', { recursive: true, force: true })

const common: Options = {
  outDir: 'dist',
  format: 'esm',
  target: 'node20',
  platform: 'node',
  splitting: true,
  silent: true,
  // Tree-shaken, or in one file instead of twenty, they load in a fraction of the time. Nothing that plugins share with the peer may stand here.
  noExternal: ['zod', '@bufbuild/protobuf'],
}

export default defineConfig([
  {
    ...common,
    entry: [
      'kernel/index.ts',
      'kernel/cli/main.ts',
      ...plugins,
      'plugins/chaincode/api/index.ts',
      'plugins/consensus/api/index.ts',
      ...guest,
      'test/kit/index.ts',
      'peer.config.ts',
    ],
    sourcemap: true,
  },
  {
    ...common,
    entry: Object.fromEntries(engineGuest.map((file) => [file.slice(0, -'.ts'.length), file])),
    esbuildPlugins: [lightModules((file) => file.startsWith(resolve('.')) && !file.includes('node_modules'))],
  },
])
