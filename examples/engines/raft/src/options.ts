import { PeerError } from 'weft'
import { BATCHING, type Batching } from 'weft/consensus'

/** Default, smallest and largest value of each. */
const NUMBERS = {
  /** Silence of the leader after which a member stands for election, once to twice this long; also how long a leader goes on without a majority. */
  electionTimeoutMs: [1000, 30, 600_000],
  /** How often a leader shows that it lives; at most a third of the time-out. */
  heartbeatMs: [100, 1, 200_000],
  /** An own request that is in no log so long after it was passed on is passed on again. */
  retryMs: [2000, 10, 600_000],
  /** Requests that make a batch full. */
  batchSize: [500, 1, 100_000],
  /** The longest that a request waits for its batch to fill. */
  batchTimeoutMs: [1000, 1, 600_000],
  /** Batches that a leader has proposed and not delivered, at most. */
  pipeline: [4, 1, 64],
  /** Delivered entries that are kept for members that are behind, and their bytes: who needs older ones transfers the state. */
  retainEntries: [256, 1, 1_000_000],
  retainBytes: [32 * 1024 * 1024, 1, 2 ** 40],
  /** Blocks after which a leader hands over to the next member; 0: never. */
  handOverBlocks: [0, 0, 2 ** 40],
} as const

type Numbers = keyof typeof NUMBERS

/** Options of Raft. Times are in milliseconds. */
export type RaftOptions = { readonly [name in Numbers]: number } & { readonly batching: Batching }

/** Reads options as people write them: `{ electionTimeoutMs: 1000, batchSize: 500 }`, all optional. Throws ERR_RAFT_OPTIONS, which names everything that is wrong. */
export function parseRaftOptions(raw: unknown = {}): RaftOptions {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw wrong([`expected an object, found ${describe(raw)}`])
  const faults: string[] = []
  const written = new Map<string, unknown>(Object.entries(raw).filter(([, value]) => value !== undefined))
  const take = (name: Numbers): number => {
    const [preset, min, max] = NUMBERS[name]
    const value = written.get(name) ?? (written.has(name) ? null : preset)
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
    faults.push(`${name}: expected a whole number from ${min} to ${max}, found ${describe(value)}`)
    return preset
  }
  const asked = written.has('batching') ? written.get('batching') : 'adaptive'
  const batching = BATCHING.find((known) => known === asked)
  if (batching === undefined) faults.push(`batching: expected ${BATCHING.join(' or ')}, found ${describe(asked)}`)
  const options: RaftOptions = {
    electionTimeoutMs: take('electionTimeoutMs'),
    heartbeatMs: take('heartbeatMs'),
    retryMs: take('retryMs'),
    batchSize: take('batchSize'),
    batchTimeoutMs: take('batchTimeoutMs'),
    pipeline: take('pipeline'),
    retainEntries: take('retainEntries'),
    retainBytes: take('retainBytes'),
    handOverBlocks: take('handOverBlocks'),
    batching: batching ?? 'adaptive',
  }
  const known = Object.keys(options)
  for (const name of written.keys()) if (!known.includes(name)) faults.push(`${name}: unknown; there are ${known.join(', ')}`)
  const { heartbeatMs, electionTimeoutMs } = options
  if (faults.length === 0 && heartbeatMs * 3 > electionTimeoutMs)
    faults.push(`heartbeatMs: expected at most a third of electionTimeoutMs (${electionTimeoutMs}), found ${heartbeatMs}`)
  if (faults.length > 0) throw wrong(faults)
  return options
}

function describe(value: unknown): string {
  return typeof value === 'object' || typeof value === 'string' ? JSON.stringify(value) : String(value)
}

function wrong(faults: readonly string[]): PeerError {
  return new PeerError('ERR_RAFT_OPTIONS', `the options of raft are wrong: ${faults.join('; ')}`, { details: { faults } })
}
