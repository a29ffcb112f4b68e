// What CI has no time for: npm run long. Seeds, kills and fuzzed requests by the thousand, the museum from its first seeds, every unit test on Node 24, each file by itself.
// `npm run long -- sim kills` runs the named parts only; `npm run long -- --list` names them. WEFT_LONG=3 makes all of it three times as long.
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

const factor = Number(process.env.WEFT_LONG ?? 1)
/** Fewer do not catch every mutant, however short the run is to be. */
const MUSEUM_SEEDS = 400
const times = (count) => String(Math.ceil(count * factor))
// A test of this many seeds takes as long as it takes.
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', '.ci/vitest.config.ts', '--testTimeout', '7200000']
const unit = ['--project', 'alone', '--project', 'together']
const sim = (seeds, ...more) => [
  'node',
  'dist/kernel/cli/main.js',
  'sim',
  'pbft',
  '--seeds',
  times(seeds),
  '--jobs',
  String(availableParallelism()),
  '--out',
  '.cache/long',
  ...more,
]
const quick = [
  '--options',
  '{"K":2,"logmultiplier":4,"timeout.request":"500ms","timeout.viewchange":"500ms","timeout.resendviewchange":"500ms","timeout.batch":"100ms"}',
]
const outside = (name) => `./examples/engines/${name}/src/index.ts`
const byName = 'wipe,replay,restart-engine'
const swapOptions = {
  pbft: { K: 4, logmultiplier: 4, 'timeout.request': '1s', 'timeout.viewchange': '1s', 'timeout.resendviewchange': '1s', 'timeout.batch': '20ms' },
  raft: { electionTimeoutMs: 200, heartbeatMs: 40, retryMs: 500 },
  hotstuff: { viewTimeoutMs: 500 },
}
const swaps = (seeds, first, names, faults, ...own) => {
  const engines = ['--swap', [...own, ...names.map(outside)].join(','), '--swap-options', JSON.stringify(swapOptions), '--swaps', '5', '--faults', faults]
  const options = first === 'pbft' ? ['--options', JSON.stringify(swapOptions.pbft)] : []
  const jobs = ['--jobs', String(availableParallelism()), '--out', '.cache/long']
  return ['node', 'dist/kernel/cli/main.js', 'sim', first, ...options, ...engines, '--seeds', times(seeds), ...jobs]
}
const parts = [
  { name: 'build', run: ['npm', 'run', '--silent', 'build'] },
  { name: 'sim', what: 'a hundred thousand simulated networks with faults', run: sim(100_000, ...quick) },
  { name: 'sim-seven', what: 'seven validators, two of them liars', run: sim(5000, '--validators', '7', ...quick) },
  // A hundred thousand swaps, together.
  { name: 'swaps-liars', what: 'pbft and hotstuff follow each other, with liars', run: swaps(15_000, 'pbft', ['hotstuff'], `inside,byzantine,${byName}`) },
  { name: 'swaps-crashes', what: 'pbft, raft and hotstuff, with crashes', run: swaps(16_000, 'pbft', ['raft', 'hotstuff'], 'inside,restart-engine') },
  { name: 'swaps-route', what: 'from the sequencer on, nobody fails', run: swaps(9000, outside('sequencer'), ['raft', 'hotstuff'], 'none', 'pbft') },
  {
    name: 'leaks',
    what: 'a thousand swaps in one process, two hundred between engines in processes of their own',
    run: [
      'node',
      ...vitest,
      'test/consensus/swap/leaks',
      'test/engines/swap-leaks',
      'test/engines/leaks',
      '--no-file-parallelism',
      '--disable-console-intercept',
    ],
    env: { WEFT_LONG: '1', WEFT_ISOLATED_SWAPS: times(200) },
  },
  { name: 'sim-real', what: 'on the real ledger, long chains', run: sim(2000, '--fidelity', 'full', '--requests', '100') },
  {
    name: 'seeds',
    what: 'conformance, power cuts and scenarios with many seeds',
    run: ['node', ...vitest, 'test/simulator', 'test/pbft', 'test/consensus'],
    env: { WEFT_KIT_SEEDS: times(300), WEFT_PBFT_SEEDS: times(300), WEFT_SKELETON_SEEDS: times(1000), WEFT_POWER_CUTS: times(5000) },
  },
  {
    name: 'museum',
    what: 'every mutant from its first seeds',
    run: ['node', ...vitest, 'test/museum'],
    env: { WEFT_MUSEUM: 'search', WEFT_MUSEUM_SEEDS: String(Math.max(MUSEUM_SEEDS, times(2000))) },
  },
  {
    name: 'kills',
    what: 'real processes, killed',
    run: ['node', ...vitest, 'kill', '--no-file-parallelism'],
    env: { WEFT_KILLS: String(Math.max(8, times(100))) },
  },
  ...['0', '1'].map((isolated) => ({
    name: isolated === '1' ? 'swap-chaos-isolated' : 'swap-chaos',
    what: `real processes: swaps with a fault at each moment${isolated === '1' ? ', engines in processes of their own' : ''}`,
    run: ['node', ...vitest, 'chaos-swaps', '--disable-console-intercept'],
    env: { WEFT_SWAP_CHAOS_SECONDS: times(600), WEFT_CHAOS_ISOLATED: isolated },
  })),
  {
    name: 'fuzz',
    what: 'requests and streams that nobody meant',
    run: ['node', ...vitest, 'fuzz', 'event-consumers', '--no-file-parallelism'],
    env: { WEFT_FUZZ_MS: times(60_000) },
  },
  { name: 'node24', what: 'all unit tests on Node 24, each file by itself', run: ['node', '.ci/node24.mjs', ...vitest, ...unit, '--isolate'] },
]

const wanted = process.argv.slice(2)
if (wanted.includes('--list')) {
  for (const { name, what = '' } of parts) console.log(`${name.padEnd(12)} ${what}`)
  process.exit(0)
}
const unknown = wanted.filter((name) => !parts.some((part) => part.name === name))
if (unknown.length > 0) {
  console.error(`unknown part ${unknown.join(', ')}; known: ${parts.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
let failed = 0
for (const { name, run, env = {} } of parts.filter((part) => wanted.length === 0 || wanted.includes(part.name))) {
  const started = Date.now()
  const [command, ...args] = run
  const { status } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } })
  if (status !== 0) failed += 1
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${((Date.now() - started) / 60_000).toFixed(1)} min)`)
}
process.exit(failed === 0 ? 0 : 1)
