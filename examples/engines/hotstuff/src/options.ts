import { engineOptions, integerOption } from 'weft/consensus'

/** Reads `{ batchSize: 500, batchMs: 20, viewTimeoutMs: 2000 }`, all optional. Throws ERR_HOTSTUFF_OPTIONS. */
export const parseOptions = engineOptions('hotstuff', {
  /** Requests of a block, at most. */
  batchSize: integerOption(500, 1, 10_000),
  /** A leader that is busy proposes requests so often, in milliseconds, or when a block is full. */
  batchMs: integerOption(20, 0, 10_000),
  /** Without progress for so long a member wishes for another leader. Doubles with every leader in a row that makes none. */
  viewTimeoutMs: integerOption(2000, 50, 600_000),
})
export type HotStuffOptions = ReturnType<typeof parseOptions>
