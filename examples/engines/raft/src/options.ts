import { PeerError } from 'weft'
import { BATCHING, type Batching } from 'weft/consensus'

const DEFAULTS = {
  /** Silence of the leader after which a member stands for election, once to twice this long; also how long a leader goes on without a majority. */
  electionTimeoutMs: 1000,
  /** How often a leader shows that it lives; at most a third of the time-out. */
  heartbeatMs: 100,
  /** An own request that is in no log so long after it was passed on is passed on again. */
  retryMs: 2000,
  /** Requests that make a batch full. */
  batchSize: 500,
  /** The longest that a request waits for its batch to fill. */
  batchTimeoutMs: 1000,
  /** Batches that a leader has proposed and not delivered, at most. */
  pipeline: 4,
  /** Delivered entries that are kept for members that are behind, and their bytes: who needs older ones transfers the state. */
  retainEntries: 256,
  retainBytes: 32 * 1024 * 1024,
  /** Blocks after which a leader hands over to the next member; 0: never. */
  handOverBlocks: 0,
}

type Numbers = keyof typeof DEFAULTS

/** Options of Raft. Times are in milliseconds. */
export type RaftOptions = Readonly<typeof DEFAULTS> & { readonly batching: Batching }

/** Longer times than this run out at once in Node. */
const MAX = 2 ** 31 - 1
const isNumberName = (name: string): name is Numbers => Object.hasOwn(DEFAULTS, name)

/** Reads options as people write them: `{ electionTimeoutMs: 1000, batchSize: 500 }`, all optional. Throws ERR_RAFT_OPTIONS, which names everything that is wrong. */
export function parseRaftOptions(raw: unknown = {}): RaftOptions {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw wrong([`expected an object, found ${describe(raw)}`])
  const faults: string[] = []
  const read = { ...DEFAULTS }
  let batching: Batching | undefined = 'adaptive'
  for (const [name, value] of Object.entries(raw)) {
    const min = name === 'handOverBlocks' ? 0 : 1
    if (name === 'batching') {
      batching = BATCHING.find((known) => known === value)
      if (!batching) faults.push(`batching: expected ${BATCHING.join(' or ')}, found ${describe(value)}`)
    } else if (!isNumberName(name)) faults.push(`${name}: unknown; there are ${Object.keys(DEFAULTS).join(', ')} and batching`)
    else if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= MAX) read[name] = value
    else faults.push(`${name}: expected a whole number from ${min} to ${MAX}, found ${describe(value)}`)
  }
  if (faults.length === 0 && read.heartbeatMs * 3 > read.electionTimeoutMs)
    faults.push(`heartbeatMs: expected at most a third of electionTimeoutMs (${read.electionTimeoutMs}), found ${read.heartbeatMs}`)
  if (!batching || faults.length > 0) throw wrong(faults)
  return { ...read, batching }
}

function describe(value: unknown): string {
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? typeof value)
}

function wrong(faults: readonly string[]): PeerError {
  return new PeerError('ERR_RAFT_OPTIONS', `the options of raft are wrong: ${faults.join('; ')}`, { details: { faults } })
}
