import { readdirSync } from 'node:fs'
import { defineConfig } from 'tsup'

const plugins = readdirSync('plugins', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => `plugins/${entry.name}/index.ts`)

// Bundled into what is deployed, or into its process, at run time: files that a running peer must find.
const guest = ['plugins/chaincode/api/deployed.ts', 'plugins/chaincode/node/guest/serve.ts', 'plugins/chaincode/node/guest/bootstrap.ts', 'plugins/chaincode/external/process/guest/relay.ts']

// Declarations are emitted by tsc (tsconfig.build.json), which takes seconds where bundling them takes minutes.
// One ESM graph with shared chunks, so that a class or token is the same object whichever entry it came through.
export default defineConfig({
  entry: ['kernel/index.ts', 'kernel/cli/main.ts', ...plugins, 'plugins/chaincode/api/index.ts', 'plugins/consensus/api/index.ts', ...guest, 'test/kit/index.ts', 'peer.config.ts'],
  outDir: 'dist',
  format: 'esm',
  target: 'node20',
  platform: 'node',
  splitting: true,
  sourcemap: true,
  clean: true,
  silent: true,
  // Tree-shaken, or in one file instead of twenty, they load in a fraction of the time. Nothing that plugins share with the peer may stand here.
  noExternal: ['zod', '@bufbuild/protobuf'],
})
