import { readdirSync } from 'node:fs'
import { defineConfig } from 'tsup'

const plugins = readdirSync('plugins', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => `plugins/${entry.name}/index.ts`)

// One ESM graph with shared chunks, so that a class or token is the same object whichever entry it came through.
export default defineConfig({
  entry: ['kernel/index.ts', 'kernel/cli/main.ts', ...plugins, 'plugins/chaincode/api/index.ts', 'test/kit/index.ts', 'peer.config.ts'],
  outDir: 'dist',
  format: 'esm',
  target: 'node20',
  platform: 'node',
  splitting: true,
  sourcemap: true,
  clean: true,
  dts: process.env['WEFT_DTS'] === 'no' ? false : true,
  silent: true,
})
