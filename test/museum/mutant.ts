import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type BuildContext, context, type OnLoadResult, type OnResolveResult } from 'esbuild'
import type { EngineFactory } from '../../plugins/consensus/index.js'
import type { checkContract } from '../consensus/swap/contract-check.js'
import type * as Kit from '../kit/index.js'
import type { FaultKind, Fidelity } from '../kit/index.js'
import { QUICK_PBFT } from '../consensus/swap/quick-pbft.js'

/** An engine that mutants are made of, or that runs on a mutated host. */
export interface Specimen {
  /** Module and export of the factory. */
  readonly module: string
  readonly export: string
  readonly options?: unknown
  readonly members: number
  /** Engines that the scenarios swap to. */
  readonly successors?: readonly Pick<Specimen, 'module' | 'export' | 'options'>[]
}

/** A deliberately broken copy of something: one place of its source text is replaced. */
export interface Mutant {
  readonly name: string
  readonly specimen: keyof typeof SPECIMENS
  /** The file that is changed: of the engine, or of the host. */
  readonly file: string
  /** Has to be in the file exactly once. */
  readonly find: string
  readonly replace: string
  /** What is wrong with it, for the table. */
  readonly why: string
  /** Faults that bring it to light. Default: all that are inside the contract. */
  readonly faults?: readonly FaultKind[]
  /** How the kit must say that it is broken; default: in any way. */
  readonly kind?: 'safety' | 'liveness' | 'contract'
  /** `silent`: its host does not help it. */
  readonly hosts?: 'silent'
  /** What is real beside the engine in the runs that catch it. Default: see `fidelityOf`. */
  readonly fidelity?: Fidelity
  readonly requests?: number
  readonly durationMs?: number
  /** Swaps that operators ask for, if the specimen has successors. */
  readonly swaps?: number
}

export const SPECIMENS = {
  pbft: { module: 'test/simulator/skeletons/pbft.ts', export: 'pbftSkeleton', members: 4 },
  raft: { module: 'test/simulator/skeletons/raft.ts', export: 'raftSkeleton', members: 3 },
  engine: {
    module: 'plugins/pbft/engine.ts',
    export: 'pbft',
    members: 4,
    // Small windows and short time-outs, so that everything happens soon.
    options: {
      K: 2,
      logmultiplier: 4,
      'timeout.request': '500ms',
      'timeout.viewchange': '500ms',
      'timeout.resendviewchange': '500ms',
      'timeout.batch': '100ms',
    },
  },
  'example raft': {
    module: 'examples/engines/raft/src/engine.ts',
    export: 'raft',
    members: 3,
    options: { electionTimeoutMs: 200, heartbeatMs: 40, retryMs: 500, batchSize: 5, retainEntries: 4 },
  },
  hotstuff: { module: 'test/simulator/skeletons/hotstuff.ts', export: 'hotStuffSkeleton', members: 4 },
  swap: {
    module: 'plugins/pbft/engine.ts',
    export: 'pbft',
    members: 4,
    options: QUICK_PBFT,
    successors: [
      { module: 'test/simulator/skeletons/raft.ts', export: 'raftSkeleton' },
      { module: 'test/simulator/skeletons/pbft.ts', export: 'pbftSkeleton' },
      { module: 'test/simulator/skeletons/candidates.ts', export: 'silentCandidate' },
    ],
  },
  // The engines of the guide, one after the other; the first bears nothing.
  route: {
    module: 'examples/engines/sequencer/src/index.ts',
    export: 'default',
    members: 4,
    successors: [
      { module: 'plugins/pbft/engine.ts', export: 'pbft', options: { 'timeout.batch': '20ms', 'timeout.request': '1s', 'timeout.viewchange': '1s' } },
      { module: 'examples/engines/raft/src/engine.ts', export: 'raft', options: { electionTimeoutMs: 200, heartbeatMs: 40, retryMs: 500 } },
      { module: 'examples/engines/hotstuff/src/index.ts', export: 'hotstuff', options: { viewTimeoutMs: 500 } },
    ],
  },
  // Engines that bear one liar of four.
  'swap of liars': {
    module: 'plugins/pbft/engine.ts',
    export: 'pbft',
    members: 4,
    options: QUICK_PBFT,
    successors: [{ module: 'examples/engines/hotstuff/src/index.ts', export: 'hotstuff', options: { viewTimeoutMs: 500 } }],
  },
  'example hotstuff': { module: 'examples/engines/hotstuff/src/index.ts', export: 'hotstuff', members: 4, options: { viewTimeoutMs: 500 } },
} as const satisfies Record<string, Specimen>

/** A kit with its host, and an engine: everything of one bundle, so that a change of the host is a change of all of it. */
export interface Exhibit {
  readonly kit: typeof Kit
  readonly factory: EngineFactory
  readonly successors: readonly EngineFactory[]
  /** Random calls of the succession against its model (test/consensus/swap/contract-check.ts). */
  readonly checkContract: typeof checkContract
}

const ROOT = resolve(import.meta.dirname, '../..')
/** Below node_modules, so that packages are found and no test runner transforms it. */
const CACHE = join(ROOT, 'node_modules/.cache/weft-museum')
/** A third of all code, in which nothing is mutated: bundled once, by each process for itself. */
const PROTO = join(CACHE, `proto-${process.pid}`)
const PROTO_FACES = ['index', 'hashes', 'messages']

/**
 * Kit, host and engine with the mutant's change, bundled and loaded; without a mutant: as they are. Throws if the text to replace is not there exactly once.
 * Each specimen has one bundler that keeps what it has parsed, and is loaded unchanged once.
 */
export function exhibit(specimen: keyof typeof SPECIMENS, mutant: Change | undefined): Promise<Exhibit> {
  let bench = benches.get(specimen)
  if (!bench) benches.set(specimen, (bench = new Workbench(specimen, SPECIMENS[specimen])))
  return bench.exhibit(mutant)
}

type Change = Pick<Mutant, 'name' | 'file' | 'find' | 'replace'>

const benches = new Map<string, Workbench>()

let proto: Promise<unknown> | undefined

function bundleProto(): Promise<unknown> {
  return build({
    entryPoints: PROTO_FACES.map((face) => join(ROOT, `proto/${face}.ts`)),
    outdir: PROTO,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'silent',
  })
}

class Workbench {
  #bundler: Promise<BuildContext> | undefined
  #healthy: Promise<Exhibit> | undefined
  #last: Promise<unknown> = Promise.resolve()
  #change: Change | undefined

  constructor(
    private readonly name: string,
    private readonly specimen: Specimen,
  ) {}

  exhibit(change: Change | undefined): Promise<Exhibit> {
    if (!change) return (this.#healthy ??= this.#inTurn(undefined))
    return this.#inTurn(change)
  }

  /** One bundle at a time: the bundler knows only one change. */
  #inTurn(change: Change | undefined): Promise<Exhibit> {
    const made = this.#last.then(() => this.#make(change))
    this.#last = made.catch(() => undefined)
    return made
  }

  async #make(change: Change | undefined): Promise<Exhibit> {
    this.#change = change
    await (proto ??= bundleProto())
    const bundler = await (this.#bundler ??= this.#open())
    const { outputFiles = [] } = await bundler.rebuild()
    await mkdir(CACHE, { recursive: true })
    const file = join(CACHE, `${(change?.name ?? `healthy ${this.name}`).replaceAll(/[^a-z0-9]+/gi, '-')}-${process.pid}.mjs`)
    await writeFile(file, outputFiles[0]?.contents ?? '')
    try {
      const loaded: Exhibit = await import(/* @vite-ignore */ pathToFileURL(file).href)
      return loaded
    } finally {
      await rm(file)
    }
  }

  async close(): Promise<void> {
    await (await this.#bundler)?.dispose()
  }

  #open(): Promise<BuildContext> {
    const { specimen } = this
    return context({
      stdin: {
        contents: contentsOf(specimen),
        resolveDir: ROOT,
        loader: 'ts',
      },
      absWorkingDir: ROOT,
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      // An engine of examples/engines imports these; they have to be the ones of this bundle.
      alias: { weft: join(ROOT, 'kernel/index.ts'), 'weft/consensus': join(ROOT, 'plugins/consensus/api/index.ts') },
      logLevel: 'silent',
      plugins: [
        {
          name: 'mutant',
          setup: (builder) => {
            builder.onResolve({ filter: /\/proto\/\w+\.js$/ }, ({ path, resolveDir }) => protoAt(join(resolveDir, path)))
            builder.onLoad({ filter: /\.ts$/ }, ({ path }) => this.#changed(path))
          },
        },
      ],
    })
  }

  async #changed(path: string): Promise<OnLoadResult | undefined> {
    if (this.#change === undefined || path !== join(ROOT, this.#change.file)) return undefined
    const { name, file, find, replace } = this.#change
    const text = await readFile(path, 'utf8')
    const places = text.split(find).length - 1
    if (places !== 1)
      throw new Error(`mutant '${name}': expected its text once in ${file}, found it ${places} times: the source has changed, so must the mutant`)
    return { contents: text.replace(find, () => replace), loader: 'ts' }
  }
}

function contentsOf({ export: name, module, successors = [] }: Specimen): string {
  return [
    "export * as kit from './test/kit/index.ts'",
    "export { checkContract } from './test/consensus/swap/contract-check.ts'",
    'const engineOf = (made) => made.engine ?? made', // what defineEngine made has its engine inside
    ...[{ export: name, module }, ...successors].map((each, index) => `import { ${each.export} as engine${index} } from './${each.module}'`),
    'export const factory = engineOf(engine0)',
    `export const successors = [${successors.map((_, index) => `engineOf(engine${index + 1})`).join()}]`,
  ].join('\n')
}

function protoAt(path: string): OnResolveResult | undefined {
  const face = PROTO_FACES.find((name) => relative(ROOT, path) === `proto/${name}.js`)
  return face === undefined ? undefined : { path: join(PROTO, `${face}.mjs`), external: true }
}

/** Ends the bundlers, whose processes would live on, and deletes what they wrote. */
export async function closeWorkshop(): Promise<void> {
  for (const bench of benches.values()) await bench.close()
  benches.clear()
  proto = undefined
  await rm(PROTO, { recursive: true, force: true })
}
