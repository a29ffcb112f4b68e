import { BATCHING, engineOptions, integerOption, wordOption } from 'weft/consensus'

const options = {
  /** Silence of the leader after which a member stands for election, once to twice this long; also how long a leader goes on without a majority. */
  electionTimeoutMs: integerOption(1000),
  /** How often a leader shows that it lives; at most a third of the time-out. */
  heartbeatMs: integerOption(100),
  /** An own request that is in no log so long after it was passed on is passed on again. */
  retryMs: integerOption(2000),
  /** Requests that make a batch full. */
  batchSize: integerOption(500),
  /** The longest that a request waits for its batch to fill. */
  batchTimeoutMs: integerOption(1000),
  /** Batches that a leader has proposed and not delivered, at most. */
  pipeline: integerOption(4),
  /** Delivered entries that are kept for members that are behind, and their bytes: who needs older ones transfers the state. */
  retainEntries: integerOption(256),
  retainBytes: integerOption(32 * 1024 * 1024),
  /** Blocks after which a leader hands over to the next member; 0: never. */
  handOverBlocks: integerOption(0, 0),
  batching: wordOption('adaptive', BATCHING),
}

/** Reads options as people write them: `{ electionTimeoutMs: 1000, batchSize: 500 }`, all optional. Throws ERR_RAFT_OPTIONS. */
export const parseRaftOptions = engineOptions('raft', options, ({ heartbeatMs, electionTimeoutMs }) =>
  heartbeatMs * 3 > electionTimeoutMs ? `heartbeatMs: expected at most a third of electionTimeoutMs (${electionTimeoutMs}), found ${heartbeatMs}` : undefined,
)
/** Options of Raft. Times are in milliseconds. */
export type RaftOptions = ReturnType<typeof parseRaftOptions>
