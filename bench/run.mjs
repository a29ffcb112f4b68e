// Bundles the TypeScript of this folder into .cache/bench and runs it: npm run bench -- [--seconds 5] [--json] [scenario ...]
import { spawnSync } from 'node:child_process'
import { build } from 'esbuild'

await build({
  entryPoints: ['bench/main.ts', 'bench/echo-server.ts', 'bench/http-server.ts', 'bench/event-consumers.ts'],
  outdir: '.cache/bench',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  logLevel: 'error',
})
// As the peer's own programs are started (plugins/loader/node-flags.ts), and the jobs of `peer sim`.
process.exit(
  spawnSync(process.execPath, ['--expose-gc', '--max-semi-space-size=64', '.cache/bench/main.mjs', ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1,
)
