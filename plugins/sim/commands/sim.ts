import { readFile, writeFile } from 'node:fs/promises'
import type * as TestKit from '../../../test/kit/index.js'
import { resolve } from 'node:path'
import { Option, PeerCommand, PeerError } from '../../../kernel/index.js'
import { Interruption, wholeNumber, wrong } from '../../terminal/index.js'
import { castOf, type Kept } from '../cast.js'
import { divide, runJob } from '../jobs.js'
import { EXIT_CODES, EXIT_DIFFERS, type SeedReport, Tally } from '../outcome.js'
import { Progress } from '../progress.js'
import { summaryText } from '../summary.js'

type Kit = typeof TestKit
type Scenario = ReturnType<Kit['parseScenario']>
type Campaign = Parameters<Kit['runCampaign']>[0]
type Engine = Campaign['engine']

/** What is simulated is made of small buffers, which Node cuts from pieces of this size; to allocate and collect its own of 8 KiB takes a twelfth of all time. */
const BUFFER_POOL_BYTES = 64 * 1024
/** Of the seeds of a run with the usual faults, so many have faults that stack. */
const STACKED = 0.4
/** Of these, the part in which chaincode is slow on some members. */
const SLOW = 0.5

/** `peer sim`: seeds of simulated networks. */
export class SimCommand extends PeerCommand {
  static override paths = [['sim']]
  static override usage = PeerCommand.Usage({
    description: 'Simulate validators with an engine, and faults.',
    details:
      'Plays seed after seed in virtual time and checks safety and progress. The engine is a name (noops), a package, or a file. A failing seed is made smaller, written to a file and drawn; the file names the engine and its options, so that --replay needs nothing else. Short time-outs (--options), five validators and thousands of seeds find what the defaults do not. An interrupted run tells what it found. Exit codes: 0 everything held, 3 safety, 4 liveness, 5 the engine broke the contract of engines, 6 it differs from a recording, 130 or 143 ended by SIGINT or SIGTERM, 1 anything else.',
    examples: [
      ['A thousand seeds of four validators', '$0 sim pbft --seeds 1000 --jobs 2'],
      ['Ten thousand seeds, with a model in the place of the host', '$0 sim pbft --logical --seeds 10000 --jobs 2'],
      ['An engine in a file, with its options', `$0 sim ./raft.ts --options '{"electionMs":200}' --validators 5`],
      ['Four validators that swap between engines', '$0 sim pbft --swap ./raft.ts,./other.ts#engine --swaps 5'],
      ['Draw one seed', '$0 sim noops --seed 17 --seeds 1 --validators 1 --trace run.html'],
      [
        'What a new version of an engine does differently',
        '$0 sim ./raft.ts --seed 17 --seeds 1 --record before.jsonl; $0 sim ./raft.ts --compare before.jsonl',
      ],
      ['Play a failing scenario again', '$0 sim --replay weft-sim/raft-safety-seed-17.json --trace run.html'],
      ['The same with another engine', '$0 sim ./raft.ts --replay weft-sim/raft-safety-seed-17.json'],
    ],
  })

  engine = Option.String({ required: false })
  seed = Option.String('--seed', '1', { description: 'the first seed (default 1)' })
  seeds = Option.String('--seeds', '100', { description: 'how many seeds (default 100)' })
  validators = Option.String('--validators', {
    description: 'how many validators (default 4; 5 for an engine that bears crashes among three and no liar among four)',
  })
  requests = Option.String('--requests', '12', { description: 'requests of each seed (default 12)' })
  faults = Option.String('--faults', 'default', {
    description:
      'inside (what engines have to bear: the default, with byzantine where the engine bears it), byzantine, outside, all, none, or kinds with commas between them: kill, power, stop, dead, blackout, break, partition, delay, slow-disk, slow-execution, clock, failing-disk, twins, mutate, loss, duplicate, reorder, wipe, replay, restart-engine; aftershocks: faults that stack, also in two of five seeds of inside, byzantine and all',
  })
  options = Option.String('--options', { description: "the engine's options, as JSON" })
  swap = Option.String('--swap', {
    description: 'engines, with commas between them, that operators swap to and back from, with missing code, cancels and short deadlines',
  })
  swaps = Option.String('--swaps', { description: 'swaps that operators ask for in each seed (default 1 to 4, some of them twice)' })
  swapOptions = Option.String('--swap-options', { description: 'options of those engines, as JSON: an object for each name' })
  fidelity = Option.String('--fidelity', 'host', {
    description:
      'what is real beside the engine: full (host and ledger, with state hashes), host (the host on a ledger in memory, the default), logical (nothing: the engine alone on a model of its host, for many more seeds)',
  })
  logical = Option.Boolean('--logical', false, { description: 'the same as --fidelity logical' })
  patience = Option.String('--patience', '60000', { description: 'virtual milliseconds that everything may take after the last fault (default 60000)' })
  jobs = Option.String('--jobs', '1', { description: 'processes that share the seeds (default 1)' })
  trace = Option.String('--trace', { description: 'draw the (only or last) run: a file for one HTML page' })
  replay = Option.String('--replay', { description: 'play the scenario of a file instead of seeds' })
  record = Option.String('--record', { description: 'play one seed (or --replay) and write what every engine was told and asked for' })
  compare = Option.String('--compare', { description: 'tell new instances what those of a recording were told; exit code 6 if they ask for something else' })
  out = Option.String('--out', 'weft-sim', { description: 'directory for failing scenarios (default ./weft-sim)' })
  lines = Option.Boolean('--lines', false, { hidden: true })

  /** An engine may have set timers of its own, which would keep this program alive. */
  override async execute(): Promise<number> {
    const before = timersLeft()
    const code = await super.execute()
    const left = timersLeft() - before
    if (left <= 0) return code
    this.warn(`the engine left ${left} timers of its own: it has host.setTimer alone; peer engine check . --only determinism says where it sets them`)
    return process.exit(code)
  }

  protected async run(): Promise<number> {
    Buffer.poolSize = BUFFER_POOL_BYTES
    const kit = await import('../../../test/kit/index.js')
    const kept = await this.kept(kit)
    const { engine: written, options, swap, swapOptions } = this
    const engine = await castOf({ engine: written, options, swap, swapOptions }, this.context.cwd, kept, (text) => this.warn(text))
    if (kept && this.record === undefined) return this.play(kit, engine, kept.scenario)
    if (this.compare !== undefined) return this.compareWith(kit, engine, this.compare)
    const campaign = this.campaign(kit, engine)
    if (this.record !== undefined) return this.recordRun(kit, engine, kept?.scenario ?? this.onlyScenario(kit, campaign), this.record)
    if (this.trace !== undefined && campaign.seeds === 1) return this.play(kit, engine, kit.planScenario({ ...campaign.plan, seed: campaign.firstSeed }))
    return this.lines ? this.tell(kit, campaign) : this.runSeeds(kit, campaign)
  }

  /** What is to be played again. */
  private async kept(kit: Kit): Promise<Kept | undefined> {
    if (this.replay === undefined) return undefined
    const file = resolve(this.context.cwd, this.replay)
    return { file, scenario: kit.parseScenario(await readFile(file, 'utf8')) }
  }

  private campaign(kit: Kit, engine: Engine): Campaign {
    const members = this.validators === undefined ? usualMembers(engine) : wholeNumber('--validators', this.validators, 1, 100)
    const fidelity = kit.FIDELITIES.find((known) => known === this.wantedFidelity())
    if (fidelity === undefined) throw wrong('--fidelity', kit.FIDELITIES.join(', '), this.fidelity)
    if (members > 1 && !engine.factory.agreement)
      throw new PeerError('ERR_SIM_VALIDATORS', `--validators: expected 1 for ${engine.factory.name}, which gives no agreement; found ${members}`)
    requireMembers(engine, members)
    return {
      engine,
      plan: {
        members,
        tolerates: leastTolerance(engine, members),
        ...faultsOf(kit, this.faults, engine, members),
        requests: wholeNumber('--requests', this.requests, 0, 100_000),
        patienceMs: wholeNumber('--patience', this.patience, 1, 1e9),
        fidelity,
        ...this.swapsPlan(engine),
      },
      firstSeed: wholeNumber('--seed', this.seed, 0, 2 ** 31),
      seeds: wholeNumber('--seeds', this.seeds, 1, 1e9),
    }
  }

  private wantedFidelity(): string {
    return this.logical ? 'logical' : this.fidelity
  }

  private swapsPlan({ factory, successors }: Engine): Pick<Campaign['plan'], 'swaps'> {
    if (!successors) return {}
    const engines = [factory, ...successors.map((each) => each.factory)].map(({ name, version }) => ({ name, version }))
    return { swaps: { engines, ...(this.swaps === undefined ? {} : { count: wholeNumber('--swaps', this.swaps, 0, 10_000) }) } }
  }

  /** One run, drawn if wanted. */
  private async play(kit: Kit, engine: Engine, scenario: ReturnType<Kit['parseScenario']>): Promise<number> {
    const played = await kit.playScenario(engine, scenario, { trace: this.trace !== undefined })
    const { failure, blocks, accepted, virtualMs } = played
    if (this.trace !== undefined) await writeFile(resolve(this.context.cwd, this.trace), kit.drawDiagram({ engine: engine.factory.name, scenario, played }))
    const verdict = failure ? `${failure.kind}: ${failure.message}` : 'everything held'
    const found = failure && { kind: failure.kind, statement: failure.statement }
    this.report(
      { seed: scenario.seed, blocks, accepted, virtualMs, failure: found, trace: this.trace },
      `seed ${scenario.seed}: ${accepted} requests in ${blocks} blocks, ${(virtualMs / 1000).toFixed(2)} s of virtual time\n${verdict}\n${this.trace === undefined ? '' : `drawn: ${this.trace}\n`}`,
    )
    return failure ? EXIT_CODES[failure.kind] : 0
  }

  private onlyScenario(kit: Kit, campaign: Campaign): Scenario {
    if (campaign.seeds > 1) throw wrong('--record', 'one run: --seeds 1, or --replay FILE', `${campaign.seeds} seeds`)
    return kit.planScenario({ ...campaign.plan, seed: campaign.firstSeed })
  }

  private async recordRun(kit: Kit, engine: Engine, scenario: Scenario, file: string): Promise<number> {
    const run = await kit.recordRun(engine, scenario)
    await writeFile(resolve(this.context.cwd, file), kit.formatRun(run))
    const calls = run.lives.reduce((sum, life) => sum + life.calls.length, 0)
    this.report({ seed: scenario.seed, lives: run.lives.length, calls, file }, `recorded: ${file}, ${run.lives.length} engine instances with ${calls} calls\n`)
    return 0
  }

  /** What another version of the engine does differently. */
  private async compareWith(kit: Kit, engine: Engine, file: string): Promise<number> {
    const run = kit.parseRun(await readFile(resolve(this.context.cwd, file), 'utf8'))
    const differences = kit.replayRun(engine, run)
    const { name, version } = engine.factory
    const before = `${run.engine.name} ${run.engine.version}`
    const lines = differences.map(({ text }) => `  ${text}\n`).join('')
    this.report(
      {
        recorded: run.engine,
        engine: { name, version },
        lives: run.lives.length,
        differences: differences.map(({ member, call, recorded, found, text }) => ({ member, call, recorded, found, text })),
      },
      differences.length === 0
        ? `${name} ${version} asks for the same as ${before} did, in ${run.lives.length} engine instances\n`
        : `${name} ${version} differs from ${before} in ${differences.length} of ${run.lives.length} engine instances; each first here:\n${lines}`,
    )
    return differences.length === 0 ? 0 : EXIT_DIFFERS
  }

  /** For another process of this program: a line for each seed. */
  private async tell(kit: Kit, campaign: Campaign): Promise<number> {
    await kit.runCampaign({ ...campaign, onSeed: (seed, played) => this.context.stdout.write(`${JSON.stringify(reportOf(seed, played))}\n`) || true })
    return 0
  }

  private async runSeeds(kit: Kit, campaign: Campaign): Promise<number> {
    const tally = new Tally()
    const before = process.cpuUsage()
    const startedMs = performance.now()
    const progress = new Progress(this.context.stderr, campaign.seeds, this.json)
    const onSeed = (report: SeedReport): void => {
      tally.add(report)
      progress.seeds(tally)
    }
    const jobs = wholeNumber('--jobs', this.jobs, 1, 256)
    const interruption = new Interruption().listen()
    try {
      const { signal } = interruption
      if (jobs > 1) await this.share(campaign, jobs, onSeed, signal)
      else await kit.runCampaign({ ...campaign, onSeed: (seed, played) => (onSeed(reportOf(seed, played)), !signal.aborted) })
    } finally {
      interruption.close()
    }
    progress.clear()
    const { user, system } = process.cpuUsage(before)
    const took = { seconds: jobs > 1 ? (performance.now() - startedMs) / 1000 : (user + system) / 1e6, jobs }
    return this.tellAll(kit, campaign, tally, { interruption, progress, took })
  }

  private async tellAll(
    kit: Kit,
    campaign: Campaign,
    tally: Tally,
    { interruption, progress, took }: { readonly interruption: Interruption; readonly progress: Progress; readonly took: Parameters<typeof summaryText>[2] },
  ): Promise<number> {
    const { name, version } = campaign.engine.factory
    const { members, faults: kinds = [], aftershocks } = campaign.plan
    const faults = [...kinds, ...(aftershocks ? ['aftershocks'] : [])]
    const successors = (campaign.engine.successors ?? []).map(({ factory }) => factory.name)
    const { by, exitCode } = interruption
    const interrupted = by === undefined ? undefined : { by, of: campaign.seeds }
    const text = summaryText({ engine: name, version, validators: members, faults, successors, interrupted }, tally, took)
    // Who interrupts does not want to wait for the smallest scenario.
    const files = interrupted ? undefined : await this.keep(kit, campaign, tally, progress)
    const { seeds, blocks, accepted, steps, virtualMs, failures } = tally
    this.report(
      {
        engine: name,
        version,
        validators: members,
        faults,
        seeds,
        blocks,
        accepted,
        steps,
        virtualMs,
        ...(successors.length > 0 ? { swaps: tally.swaps } : {}),
        failures: failures.map(({ seed, failure }) => ({ seed, ...failure })),
        ...(by === undefined ? {} : { interrupted: by }),
        files,
      },
      `${text}${files ? `smallest scenario: ${files.scenarioFile}\ndrawn: ${files.diagramFile}\nplay it again: ${files.replay}\n` : ''}`,
    )
    return exitCode ?? tally.exitCode
  }

  private async share(campaign: Campaign, jobs: number, onSeed: (report: SeedReport) => void, interrupted: AbortSignal): Promise<void> {
    const [program = ''] = process.argv.slice(1)
    const { options, swap, swaps, swapOptions } = this
    const args = [
      program,
      'sim',
      ...(this.engine === undefined ? [] : [this.engine]),
      '--validators',
      String(campaign.plan.members),
      '--requests',
      this.requests,
      '--faults',
      this.faults,
      '--fidelity',
      this.wantedFidelity(),
      '--patience',
      this.patience,
    ]
    const given = [...args, ...flag('--options', options), ...flag('--swap', swap), ...flag('--swaps', swaps), ...flag('--swap-options', swapOptions)]
    const ranges = divide({ first: campaign.firstSeed, count: campaign.seeds }, jobs)
    const { cwd, env } = this.context
    await Promise.all(ranges.map((range) => runJob([...process.execArgv, ...given], { cwd, env }, range, onSeed, interrupted)))
  }

  /** Makes the worst failure small, and writes it down. */
  private async keep(kit: Kit, campaign: Campaign, { first }: Tally, progress: Progress): Promise<Awaited<ReturnType<Kit['keepFailure']>> | undefined> {
    if (!first) return undefined
    progress.doing(`making seed ${first.seed} smaller …`)
    const scenario = kit.planScenario({ ...campaign.plan, seed: first.seed })
    const { failure } = await kit.playScenario(campaign.engine, scenario)
    if (!failure)
      throw new PeerError('ERR_SIM_UNSTEADY', `seed ${first.seed} failed, and did not when it was played again: the engine does not depend on its events alone`)
    const name = `${campaign.engine.factory.name}-${failure.kind}-seed-${first.seed}`
    const files = await kit.keepFailure(campaign.engine, { seed: first.seed, scenario, failure }, { directory: resolve(this.context.cwd, this.out), name })
    progress.clear()
    return files
  }
}

/** That options fit so many validators, as a swap asks it before it is proposed: a network could not begin with others. */
function requireMembers({ factory, options, successors = [] }: Engine, count: number): void {
  const members = Array.from({ length: count }, (_, index) => ({ index, id: `vp${index}` }))
  for (const each of [{ factory, options }, ...successors]) each.factory.checkMembers?.(each.factory.parseOptions(each.options), members)
}

/** What every engine of a run bears. */
function leastTolerance({ factory, successors = [] }: Engine, members: number): { readonly crashed: number; readonly byzantine: number } {
  const all = [factory, ...successors.map((each) => each.factory)].map((each) => each.tolerates(members))
  return { crashed: Math.min(...all.map(({ crashed }) => crashed)), byzantine: Math.min(...all.map(({ byzantine }) => byzantine)) }
}

function flag(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [name, value]
}

function reportOf(seed: number, { blocks, accepted, steps, virtualMs, swaps, failure }: Awaited<ReturnType<Kit['playScenario']>>): SeedReport {
  return { seed, blocks, accepted, steps, virtualMs, swaps, ...(failure ? { failure: { kind: failure.kind, statement: failure.statement } } : {}) }
}

function timersLeft(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
}

/** Kinds that belong to no class that could be asked for. */
const BY_NAME = ['wipe', 'replay', 'restart-engine'] as const

/** More members show more of an engine that bears crashes: among three a majority of any two views has a member in common that saw both. */
function usualMembers({ factory }: Engine): number {
  return factory.tolerates(3).crashed > 0 && factory.tolerates(4).byzantine === 0 ? 5 : 4
}

function faultsOf(kit: Kit, written: string, engine: Engine, members: number): Pick<Campaign['plan'], 'faults' | 'aftershocks' | 'slowAftershocks'> {
  if (written === 'aftershocks') return { faults: [], aftershocks: 1, slowAftershocks: SLOW }
  const words = written.split(',')
  const areUsual = words.some((word) => ['default', 'inside', 'byzantine', 'all', 'aftershocks'].includes(word))
  const faults = faultKinds(kit, words, engine, members)
  return areUsual && members > 2 && leastTolerance(engine, members).crashed > 0 ? { faults, aftershocks: STACKED, slowAftershocks: SLOW } : { faults }
}

function faultKinds(kit: Kit, words: readonly string[], engine: Engine, members: number): ReturnType<Kit['faultKinds']> {
  return words.flatMap((word) => {
    if (word === 'none' || word === 'aftershocks') return []
    if (word === 'default') return leastTolerance(engine, members).byzantine > 0 ? kit.faultKinds('inside', 'byzantine') : kit.faultKinds('inside')
    if (word === 'all') return [...kit.ALL_KINDS]
    if (word === 'inside' || word === 'byzantine' || word === 'outside') return kit.faultKinds(word)
    const kind = [...kit.ALL_KINDS, ...BY_NAME].find((known) => known === word)
    if (kind === undefined) throw wrong('--faults', `inside, byzantine, outside, all, none, aftershocks, or some of ${kit.ALL_KINDS.join(', ')}`, word)
    return [kind]
  })
}
