import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { drawDiagram } from './diagram.js'
import type { MessageLabel } from './diagram-data.js'
import { type SimulationFailure } from './failures.js'
import { planScenario, type PlanOptions } from './plan.js'
import { type Played, type PlayedEngine, playScenario } from './play.js'
import { replayCommand, withEngine } from './replay-command.js'
import type { Scenario } from './scenario.js'
import { shrinkScenario } from './shrink.js'
import type { SwapCounts } from './succession-model.js'
import { collectBetweenRuns } from './young-objects.js'

/** Many seeds of one plan. */
export interface CampaignOptions {
  readonly engine: PlayedEngine
  readonly plan: Omit<PlanOptions, 'seed'>
  readonly firstSeed: number
  readonly seeds: number
  /** Told after each seed; false ends the campaign. */
  readonly onSeed?: (seed: number, played: Played, scenario: Scenario) => boolean
}

/** A seed that failed. */
export interface FailedSeed {
  readonly seed: number
  readonly scenario: Scenario
  readonly failure: SimulationFailure
}

/** What many seeds gave. */
export interface CampaignResult {
  readonly seeds: number
  readonly failures: readonly FailedSeed[]
  readonly blocks: number
  readonly accepted: number
  readonly steps: number
  readonly virtualMs: number
  readonly swaps: SwapCounts
}

/** Plays seed after seed. */
export async function runCampaign({ engine, plan, firstSeed, seeds, onSeed }: CampaignOptions): Promise<CampaignResult> {
  const failures: FailedSeed[] = []
  const total = { seeds: 0, blocks: 0, accepted: 0, steps: 0, virtualMs: 0 }
  const swaps = { prepared: 0, happened: 0, cancelled: 0 }
  for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) {
    const scenario = planScenario({ ...plan, seed })
    const played = await playScenario(engine, scenario)
    total.seeds += 1
    total.blocks += played.blocks
    total.accepted += played.accepted
    total.steps += played.steps
    total.virtualMs += played.virtualMs
    swaps.prepared += played.swaps.prepared
    swaps.happened += played.swaps.happened
    swaps.cancelled += played.swaps.cancelled
    if (played.failure) failures.push({ seed, scenario, failure: played.failure })
    if (onSeed?.(seed, played, scenario) === false) break
    collectBetweenRuns()
    // Signals and timers of the program have their turn.
    await setImmediate()
  }
  return { ...total, swaps, failures }
}

/** Where a failure was written down. */
export interface FailureFiles {
  readonly scenario: Scenario
  readonly scenarioFile: string
  readonly diagramFile: string
  /** What plays it again, on a command line. */
  readonly replay: string
}

/** How a failure is written down. */
export interface KeepOptions {
  readonly directory: string
  /** File names begin with it. */
  readonly name: string
  /** Runs spent on making it smaller; 0: none. */
  readonly maxRuns?: number
  readonly labelOf?: MessageLabel
}

/** Makes a failing scenario smaller, writes it to a file that can be played again, and draws it. */
export async function keepFailure(engine: PlayedEngine, failed: FailedSeed, { directory, name, maxRuns, labelOf }: KeepOptions): Promise<FailureFiles> {
  const shrunk = await shrinkScenario(engine, failed.scenario, failed.failure.kind, maxRuns === undefined ? {} : { maxRuns })
  const scenario = withEngine(shrunk.scenario, engine, directory)
  const played = await playScenario(engine, scenario, { trace: true })
  await mkdir(directory, { recursive: true })
  const scenarioFile = join(directory, `${name}.json`)
  const diagramFile = join(directory, `${name}.html`)
  await writeFile(scenarioFile, `${JSON.stringify(scenario, undefined, 2)}\n`)
  const replay = replayCommand(engine, scenarioFile)
  await writeFile(diagramFile, drawDiagram({ engine: engine.factory.name, scenario, played, replay, ...(labelOf ? { labelOf } : {}) }))
  return { scenario, scenarioFile, diagramFile, replay }
}
