// The README's test command: every check of this repository, one line each; details of a failure below it.
// `npm test` runs all; `npm test -- unit lint` runs the named steps only; `npm test -- --list` names them.
import { spawn } from 'node:child_process'

const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', '.ci/vitest.config.ts']
/** Tests of these projects of vitest.config.ts. */
const testsOf = (...projects) => ['node', ...vitest, ...projects.flatMap((name) => ['--project', name])]
/** What can differ between versions of Node: sandboxes and the permission flag, the native store, sockets, streams and TLS, hashes, V8's profiles; and the built program. */
const dependsOnNode = ['chaincode/node', 'level', 'kernel/cli', 'proto/service', 'proto/shake256', 'profiling', 'integration/tour', 'integration/signals']
/** Steps with `beside` use one core, or mostly wait: two of them run at a time, and what each prints comes when it has ended. All others run alone. */
const steps = [
  { name: 'generate', what: 'generated protobuf code is current', run: ['npm', 'run', '--silent', 'generate:check'] },
  { name: 'build', what: 'build with declarations', run: ['npm', 'run', '--silent', 'build'], beside: true },
  { name: 'types', what: 'type check', run: ['node_modules/.bin/tsc', '-p', 'tsconfig.json'], beside: true },
  // After the build: examples/engines take the types of weft from what is built, reports and package are made of it.
  { name: 'lint', what: 'type-aware lint', run: ['npm', 'run', '--silent', 'lint'], beside: true, after: ['build'] },
  { name: 'boundaries', what: 'imports point one way', run: ['npm', 'run', '--silent', 'boundaries'], beside: true },
  { name: 'dead-code', what: 'no unused file, export or dependency', run: ['npm', 'run', '--silent', 'dead-code'], beside: true },
  { name: 'api', what: 'reports of the public types are current', run: ['node', '.ci/api.mjs', '--check'], beside: true, after: ['build'] },
  { name: 'package', what: 'publint and are-the-types-wrong', run: ['npm', 'run', '--silent', 'package-check'], beside: true, after: ['build'] },
  { name: 'unit', what: 'unit tests and golden vectors', run: testsOf('alone', 'museum', 'together') },
  { name: 'integration', what: 'real processes on loopback', run: testsOf('integration'), beside: true },
  { name: 'networks', what: 'networks of real processes', run: [...testsOf('networks'), '--no-file-parallelism'], beside: true },
  // A page that asks the registry has the ports of the default site, on which some tests expect nobody.
  { name: 'docs', what: 'commands of README and guides', run: ['node', '.ci/docs-commands.mjs'], beside: true, after: ['integration'] },
  {
    name: 'node24',
    what: 'on Node 24: what depends on the version of Node, and the built program',
    run: ['node', '.ci/node24.mjs', ...vitest, ...dependsOnNode.map((name) => `test/${name}`)],
    only: process.env.CI === 'true',
    beside: true,
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

const AT_A_TIME = 2
const isChosen = (step) => (wanted.length > 0 ? wanted.includes(step.name) : step.only !== false)
const waiting = steps.filter(isChosen)
const running = new Map()
const counts = { passed: 0, failed: 0, skipped: steps.length - waiting.length }

for (const name of ['SIGINT', 'SIGTERM']) {
  process.once(name, () => {
    for (const { child } of running.values()) child.kill(name)
    process.exit(1)
  })
}

/** Resolves when it has ended. */
function run(step) {
  const {
    name,
    what,
    beside = false,
    run: [command, ...args],
  } = step
  const started = Date.now()
  const heading = `--- ${name}: ${what}`
  if (!beside) console.log(heading)
  const child = spawn(command, args, { stdio: beside ? ['ignore', 'pipe', 'pipe'] : 'inherit' })
  const printed = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => printed.push(chunk))
  const ended = new Promise((resolve) => {
    child.once('error', (error) => printed.push(Buffer.from(`${error.message}\n`)))
    child.once('close', (status) => {
      running.delete(name)
      const seconds = ((Date.now() - started) / 1000).toFixed(1)
      counts[status === 0 ? 'passed' : 'failed'] += 1
      if (beside) process.stdout.write(Buffer.concat([Buffer.from(`${heading}\n`), ...printed]))
      console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`)
      resolve()
    })
  })
  running.set(name, { step, child, ended })
}

/** In their order; one that has to wait for another lets those behind it pass, as far as the next that runs alone. */
function next() {
  if (running.size >= AT_A_TIME || [...running.values()].some(({ step }) => !step.beside)) return undefined
  for (const step of waiting) {
    if (!step.beside) return running.size === 0 && step === waiting[0] ? step : undefined
    const isReady = (step.after ?? []).every((name) => !running.has(name) && waiting.every((other) => other.name !== name))
    if (isReady) return step
  }
  return undefined
}

while (waiting.length > 0 || running.size > 0) {
  for (let step = next(); step !== undefined; step = next()) {
    waiting.splice(waiting.indexOf(step), 1)
    run(step)
  }
  await Promise.race([...running.values()].map(({ ended }) => ended))
}
console.log(`steps: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exit(counts.failed === 0 ? 0 : 1)
