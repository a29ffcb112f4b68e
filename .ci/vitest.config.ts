import { configDefaults, defineConfig } from 'vitest/config'

/** Nothing native: no store on a disk, no socket, process, thread, handler of signals or profiler; and no memory is measured. */
const together = [
  'test/{devnet,devops,loader,noops,pbft,top,transactions}/**/*.test.ts',
  'test/chaincode/fast-codec.test.ts',
  'test/chaincode/api/!(message-call|start).test.ts',
  'test/chaincode/node/{frames,pack}.test.ts',
  'test/chaincode/peer/!(register-grpc).test.ts',
  'test/consensus/!(broken-engine|crash-real|failing-disk|plugin|recovery).test.ts',
  'test/consensus/{aids,chain,commands,epochs,execution,pool,session}/**/*.test.ts',
  'test/consensus/swap/!(leaks).test.ts',
  'test/engine-authoring/{names,swap-in}.test.ts',
  'test/engines/{spare,version-range,watchdog}.test.ts',
  'test/events/hub.test.ts',
  'test/examples/size.test.ts',
  'test/grpc/{buffer-guard,command,message-frames}.test.ts',
  'test/kernel/{lifecycle,services,size}.test.ts',
  'test/kernel/config/resolve.test.ts',
  'test/ledger/!(archive|archive-file|commands|crash|damage|inspection|trie).test.ts',
  'test/logging/logging.test.ts',
  'test/metrics/dashboard.test.ts',
  'test/network/!(forwarding).test.ts',
  'test/proto/!(service).test.ts',
  'test/rest/!(routes).test.ts',
  'test/simulator/!(growth|model-world|recorded-run).test.ts',
  'test/terminal/!(interruption).test.ts',
]
const museum = ['test/museum/*.test.ts']
/** Several real validators at once, named by what their files begin with. */
const networks = ['test/integration/{devnet,network,state-transfer,swap}*.test.ts']
const integration = ['test/integration/**/*.test.ts']

/** What `--project` names. Each file runs in a process of its own: a worker that ran file after file, of all kinds, has died twice without a word, somewhere in native code. */
const project = (name: string, include: string[], but: string[] = [], isolate = true) => ({
  extends: true as const,
  test: { name, include, exclude: [...configDefaults.exclude, ...but], isolate },
})

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    // In the order of their names.
    projects: [
      project('alone', ['test/**/*.test.ts'], [...together, ...museum, ...integration]),
      project('integration', integration, networks),
      project('museum', museum),
      project('networks', networks),
      // To load everything anew for each takes longer than most of these tests. Last of the unit tests, so that both cores have something to do until the end.
      project('together', together, [], false),
    ],
    globalSetup: new URL('temporary-files.mjs', import.meta.url).pathname,
    // Against what never ends, not against slow machines.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // In CI a test that fails gets a second try, and is reported with it: to be looked into, and no reason to throw away what is sound.
    retry: process.env.CI === 'true' ? 1 : 0,
    expect: { poll: { timeout: 60_000 } },
    pool: 'forks',
    // The default leaves a core idle.
    maxWorkers: '100%',
    reporters: ['default'],
  },
})
