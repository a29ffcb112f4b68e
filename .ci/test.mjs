// The README's test command: every check of this repository, one line each; details of a failure below it.
// `npm test` runs all; `npm test -- unit lint` runs the named steps only; `npm test -- --list` names them.
import { spawnSync } from 'node:child_process'

const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', '.ci/vitest.config.ts']
/** Tests of several validators at once: they take all cores by themselves, so one file at a time. */
const networks = ['devnet', 'network', 'state-transfer', 'swap'].map((name) => `test/integration/${name}`)
/** What can differ between versions of Node: sandboxes and the permission flag, the native store, sockets, streams and TLS, hashes, V8's profiles; and the built program. */
const dependsOnNode = ['chaincode/node', 'level', 'kernel/cli', 'proto', 'profiling', 'integration/tour', 'integration/signals']
const steps = [
  { name: 'generate', what: 'generated protobuf code is current', run: ['npm', 'run', '--silent', 'generate:check'] },
  { name: 'types', what: 'type check', run: ['node_modules/.bin/tsc', '-p', 'tsconfig.json'] },
  // Before the linter: examples/engines take the types of weft from what is built.
  { name: 'build', what: 'build with declarations', run: ['npm', 'run', '--silent', 'build'] },
  { name: 'lint', what: 'type-aware lint', run: ['npm', 'run', '--silent', 'lint'] },
  { name: 'boundaries', what: 'imports point one way', run: ['npm', 'run', '--silent', 'boundaries'] },
  { name: 'dead-code', what: 'no unused file, export or dependency', run: ['npm', 'run', '--silent', 'dead-code'] },
  { name: 'api', what: 'reports of the public types are current', run: ['node', '.ci/api.mjs', '--check'] },
  { name: 'package', what: 'publint and are-the-types-wrong', run: ['npm', 'run', '--silent', 'package-check'] },
  { name: 'unit', what: 'unit tests and golden vectors', run: ['node', ...vitest, '--exclude', 'test/integration/**'] },
  {
    name: 'integration',
    what: 'real processes on loopback',
    run: ['node', ...vitest, 'test/integration', ...networks.flatMap((prefix) => ['--exclude', `${prefix}*`])],
  },
  { name: 'networks', what: 'networks of real processes', run: ['node', ...vitest, ...networks, '--no-file-parallelism'] },
  { name: 'docs', what: 'commands of README and guides', run: ['node', '.ci/docs-commands.mjs'] },
  {
    name: 'node24',
    what: 'on Node 24: what depends on the version of Node, and the built program',
    run: ['node', '.ci/node24.mjs', ...vitest, ...dependsOnNode.map((name) => `test/${name}`)],
    only: process.env.CI === 'true',
  },
]

const wanted = process.argv.slice(2)
if (wanted.includes('--list')) {
  for (const { name, what } of steps) console.log(`${name.padEnd(12)} ${what}`)
  process.exit(0)
}
const unknown = wanted.filter((name) => !steps.some((step) => step.name === name))
if (unknown.length > 0) {
  console.error(`unknown step ${unknown.join(', ')}; known: ${steps.map((step) => step.name).join(', ')}`)
  process.exit(2)
}

let passed = 0
let failed = 0
let skipped = 0
for (const step of steps) {
  if (wanted.length > 0 ? !wanted.includes(step.name) : step.only === false) {
    skipped += 1
    continue
  }
  const started = Date.now()
  console.log(`--- ${step.name}: ${step.what}`)
  const [command, ...args] = step.run
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  const seconds = ((Date.now() - started) / 1000).toFixed(1)
  if (status === 0) passed += 1
  else failed += 1
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${step.name} (${seconds} s)`)
}
console.log(`steps: ${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exit(failed === 0 ? 0 : 1)
