import { PeerError } from 'weft'

export interface HotStuffOptions {
  /** Requests of a block, at most. */
  readonly batchSize: number
  /** A leader that is busy proposes requests so often, in milliseconds, or when a block is full. */
  readonly batchMs: number
  /** Without progress for so long a member wishes for another leader. Doubles with every leader in a row that makes none. */
  readonly viewTimeoutMs: number
}

const DEFAULTS: HotStuffOptions = { batchSize: 500, batchMs: 20, viewTimeoutMs: 2000 }
const BOUNDS = new Map<string, readonly [lowest: number, highest: number]>([
  ['batchSize', [1, 10_000]],
  ['batchMs', [0, 10_000]],
  ['viewTimeoutMs', [50, 600_000]],
])

/** Reads `{ batchSize: 500, batchMs: 20, viewTimeoutMs: 2000 }`, all optional, in whole numbers. Throws ERR_HOTSTUFF_OPTIONS. */
export function parseOptions(raw: unknown): HotStuffOptions {
  const given = raw ?? {}
  if (typeof given !== 'object' || Array.isArray(given)) throw wrong([`expected an object; found ${JSON.stringify(raw)}`])
  const faults = Object.entries(given).flatMap(([name, value]: [string, unknown]) => {
    const [lowest, highest] = BOUNDS.get(name) ?? []
    if (lowest === undefined || highest === undefined) return [`unknown option '${name}'; there are ${[...BOUNDS.keys()].join(', ')}`]
    const isGood = typeof value === 'number' && Number.isInteger(value) && value >= lowest && value <= highest
    return isGood ? [] : [`${name}: expected a whole number from ${lowest} to ${highest}; found ${JSON.stringify(value)}`]
  })
  if (faults.length > 0) throw wrong(faults)
  return { ...DEFAULTS, ...given }
}

function wrong(faults: readonly string[]): PeerError {
  return new PeerError('ERR_HOTSTUFF_OPTIONS', `the options of hotstuff are wrong: ${faults.join('; ')}`, { details: { faults } })
}
