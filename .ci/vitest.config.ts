import { configDefaults, defineConfig } from 'vitest/config'

/** Nothing native: no store on a disk, no socket, process, thread or profiler; and no memory is measured. */
const together = [
  'test/{noops,pbft,transactions}/**/*.test.ts',
  'test/simulator/!(growth|model-world|recorded-run).test.ts',
  'test/consensus/{aids,chain,commands,epochs,execution,pool,session}/**/*.test.ts',
  'test/consensus/swap/!(leaks).test.ts',
  'test/proto/!(service).test.ts',
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
