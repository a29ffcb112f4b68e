import { printable } from './text.js'

/** The phases of a swap, in their order. */
export const PHASES = ['pre-flight', 'prepared', 'trial', 'ready', 'sealed', 'started'] as const

/** Other names of phases. */
const ALIASES: Readonly<Record<string, string>> = { loading: 'prepared', 'on trial': 'trial', sealing: 'sealed', crossed: 'started' }

/** A change of the engine as one validator sees it. */
export interface Swap {
  readonly phase: string
  /** Name and version of the engine that comes; empty: not said. */
  readonly engine: string
  /** The epoch that comes. */
  readonly epoch: bigint | undefined
  /** The last block of the running engine, once it is decided. */
  readonly activation: bigint | undefined
  readonly ready: number | undefined
  /** Why this validator does not take part; empty: it does, or does not say. */
  readonly refusal: string
}

/**
 * The swap in the status of a validator, which may be of another version: an object, or its JSON, with the phase and whatever else it says.
 * Undefined: none, or nothing that can be read.
 */
export function swapOf(report: object): Swap | undefined {
  const swap = objectOf('swap' in report ? report.swap : undefined)
  const phase = swap && textOf(swap['phase'] ?? swap['state'])
  if (!swap || phase === undefined || phase === '' || phase === 'none' || phase === 'idle') return undefined
  const candidate = objectOf(swap['to'] ?? swap['candidate'])
  const to = objectOf(candidate?.['proposal']) ?? candidate
  const name = textOf(swap['engine'] ?? to?.['engine'] ?? to?.['name'] ?? swap['to'])
  const version = textOf(swap['version'] ?? to?.['version'])
  return {
    phase: printable(Object.hasOwn(ALIASES, phase) ? (ALIASES[phase] ?? phase) : phase),
    engine: name === undefined ? '' : printable(version === undefined || name.includes('@') ? name : `${name}@${version}`),
    epoch: wholeOf(swap['epoch'] ?? swap['toEpoch'] ?? to?.['epoch']),
    activation: wholeOf(swap['activation'] ?? swap['activationBlock'] ?? swap['activationHeight']),
    ready: countOf(swap['ready'] ?? swap['readyCount'] ?? candidate?.['readies']),
    refusal: printable(textOf(swap['refusal'] ?? swap['reason']) ?? ''),
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value === 'string' && value.startsWith('{')) return parsed(value)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return objectOf(JSON.parse(text))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Zero is what protobuf writes for nothing. */
function wholeOf(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value > 0n ? value : undefined
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return BigInt(value)
  return typeof value === 'string' && /^[1-9]\d{0,18}$/.test(value) ? BigInt(value) : undefined
}

function countOf(value: unknown): number | undefined {
  if (Array.isArray(value)) return value.length
  const whole = wholeOf(value)
  return whole === undefined ? undefined : Number(whole)
}
