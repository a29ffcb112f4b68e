import type { MemberIndex } from '../../plugins/consensus/index.js'
import { PeerError } from '../../kernel/index.js'
import { ALL_KINDS, type Fault, SWAP_KINDS } from './faults.js'

/** What is real in a run beside the engine, from all to nothing. */
export const FIDELITIES = ['full', 'host', 'logical'] as const
/** One of `FIDELITIES`. */
export type Fidelity = (typeof FIDELITIES)[number]

/** A client's request in a scenario. */
export interface ScenarioRequest {
  readonly atMs: number
  /** Whom the client asks; if that member is down or Byzantine, the next one. */
  readonly member: MemberIndex
  /** Its txid, and what its bytes are made of: the same name is the same request. */
  readonly name: string
  readonly fails?: boolean
}

/** An engine that a scenario was played with, so that its file is enough to play it again. */
export interface ScenarioEngine {
  readonly name: string
  readonly version: string
  /** Where it is: a name or a package, or a path from the scenario's file, which begins with a dot. Left out: nobody knew. */
  readonly source?: string
  /** As a site writes them. */
  readonly options?: unknown
}

/**
 * A run as data: load, faults, and what is expected. Together with an engine it determines everything, byte for byte. Plain JSON: a failing one is kept in a file
 * and played again.
 */
export interface Scenario {
  readonly format: 'weft-scenario/1'
  /** Decides delays, durations, what engines draw, and the details of faults. */
  readonly seed: number
  readonly members: number
  /**
   * What is real beside the engine. `full`: the host and the ledger with its state hashes; `host`: the host, on a ledger in memory; `logical`: nothing, the engine runs on
   * a model of its host.
   */
  readonly fidelity: Fidelity
  readonly signatures: 'keyed-hash' | 'p256'
  /** Shortest and longest delay of messages and of disk writes, in virtual milliseconds. */
  readonly delayMs: readonly [number, number]
  readonly diskMs: readonly [number, number]
  readonly requests: readonly ScenarioRequest[]
  readonly faults: readonly Fault[]
  /** When load and faults end. */
  readonly durationMs: number
  /** How long after that everything may take to be in every chain. */
  readonly patienceMs: number
  /** `safety`: it need not come to an end. */
  readonly expect: 'progress' | 'safety'
  /** What an engine orders although the chain holds it: left out, as hosts do in a network without originals (default), or executed again, which breaks the checks. */
  readonly repetitions?: 'left-out' | 'executed'
  /** `silent`: hosts tell each other nothing and cannot help an engine that is behind, so it shows what it can do alone. Default: they talk. */
  readonly hosts?: 'talking' | 'silent'
  /** Of how many requests of the chain engines are told when they begin, the newest: what is older is the host's affair. Default: as many as a peer tells. */
  readonly toldRequests?: number
  /** With which engine it was played, for people and `peer sim --replay`; it changes nothing of the run. */
  readonly engine?: ScenarioEngine
  /** The engines that operators could swap to. */
  readonly successors?: readonly ScenarioEngine[]
}

/** Reads a scenario from JSON; throws ERR_SIMULATION_SCENARIO naming the field that is wrong. */
export function parseScenario(text: string): Scenario {
  const scenario = withFidelity(parseJson(text))
  if (!isScenario(scenario))
    throw wrong(
      `expected an object with "format": "weft-scenario/1", seed, members, fidelity, signatures, delayMs, diskMs, requests, faults, durationMs, patienceMs and expect`,
    )
  const kinds = [...ALL_KINDS, ...SWAP_KINDS]
  const unknown = scenario.faults.find(({ kind }) => !kinds.includes(kind))
  if (unknown) throw wrong(`expected faults of the kinds ${kinds.join(', ')}; found '${unknown.kind}'`)
  const { engine, successors } = scenario
  if (engine !== undefined && !isEngine(engine)) throw wrong(`"engine": expected ${ENGINE}`)
  if (successors !== undefined && !(Array.isArray(successors) && successors.every(isEngine))) throw wrong(`"successors": expected a list of ${ENGINE}`)
  return scenario
}

/** Files of before named the ledger: with both the host was real. */
function withFidelity(scenario: unknown): unknown {
  if (typeof scenario !== 'object' || scenario === null || !('ledger' in scenario) || 'fidelity' in scenario) return scenario
  const { ledger, ...rest } = scenario
  const fidelity = ledger === 'real' ? 'full' : ledger === 'logical' ? 'host' : ledger
  return { ...rest, fidelity }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw wrong(`expected JSON: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

const NUMBERS = ['seed', 'members', 'durationMs', 'patienceMs'] as const

function isScenario(value: unknown): value is Scenario {
  if (typeof value !== 'object' || value === null) return false
  const fields = new Map<string, unknown>(Object.entries(value))
  const areNumbers = NUMBERS.every((name) => Number.isFinite(fields.get(name))) && Number.isFinite(fields.get('toldRequests') ?? 0)
  const areLists = ['requests', 'faults'].every((name) => isListOfObjects(fields.get(name)))
  const areRanges = ['delayMs', 'diskMs'].every((name) => isRange(fields.get(name)))
  const areWords =
    isOneOf(fields.get('fidelity'), FIDELITIES) &&
    isOneOf(fields.get('signatures'), ['keyed-hash', 'p256']) &&
    isOneOf(fields.get('expect'), ['progress', 'safety']) &&
    isOneOf(fields.get('repetitions') ?? 'left-out', ['left-out', 'executed']) &&
    isOneOf(fields.get('hosts') ?? 'talking', ['talking', 'silent'])
  return fields.get('format') === 'weft-scenario/1' && areNumbers && areLists && areRanges && areWords
}

const ENGINE = 'an object with name and version (texts), source (text, may be left out) and options'

function isEngine(value: unknown): value is ScenarioEngine {
  if (typeof value !== 'object' || value === null) return false
  const fields = new Map<string, unknown>(Object.entries(value))
  return [fields.get('name'), fields.get('version'), fields.get('source') ?? ''].every((text) => typeof text === 'string')
}

function isOneOf(value: unknown, words: readonly string[]): boolean {
  return typeof value === 'string' && words.includes(value)
}

function isListOfObjects(value: unknown): boolean {
  return Array.isArray(value) && value.every((item: unknown) => typeof item === 'object' && item !== null && 'atMs' in item && typeof item.atMs === 'number')
}

function isRange(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every((bound: unknown) => typeof bound === 'number' && bound >= 0)
}

function wrong(message: string): PeerError {
  return new PeerError('ERR_SIMULATION_SCENARIO', `this is no scenario: ${message}`)
}
