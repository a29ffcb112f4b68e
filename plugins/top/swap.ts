import type { ConsensusReport } from '../../proto/index.js'
import { printable } from '../terminal/index.js'

/** The phases through which a validator goes, in their order; another one may refuse, or give up. */
export const PHASES = ['prepared', 'trial', 'ready', 'sealed', 'started'] as const

/** What the host calls them. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['', 'prepared'],
  ['loading', 'prepared'],
  ['on trial', 'trial'],
])

/** A change of the engine as one validator sees it. */
export interface Swap {
  readonly phase: string
  /** Name and version of the engine that comes. */
  readonly engine: string
  /** The last block of the engine before, once it is decided. */
  readonly activation: bigint | undefined
  /** Members of which this validator knows that they are ready. */
  readonly ready: number
  /** Why this validator does not take part; empty: it does. */
  readonly refusal: string
}

/** The swap that is under way at a validator: a candidate, or an engine that is sealed and votes on. Undefined: none. */
export function swapOf({ swap, sealing, engine, version, activation }: ConsensusReport): Swap | undefined {
  if (swap) {
    return {
      phase: printable(NAMES.get(swap.phase) ?? swap.phase),
      engine: printable(`${swap.engine}@${swap.version}`),
      activation: undefined,
      ready: swap.ready.length,
      refusal: printable(swap.refusal),
    }
  }
  return sealing ? { phase: 'sealed', engine: printable(`${engine}@${version}`), activation, ready: 0, refusal: '' } : undefined
}
