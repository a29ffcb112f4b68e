import { codec, type EngineHost } from 'weft/consensus'
import { type Block, Certificate, compare, GENESIS, Reference } from './block.js'

const State = codec.struct({ voted: Reference, lock: Certificate })

/**
 * The rules that keep the chain one, and their memory. README.md has the proof.
 * 1. Votes have rising ranks.
 * 2. A vote for a block locks the certificate that the block carries; a block that carries a lower one gets no vote.
 * 3. Both are on disk before the vote leaves: the host keeps every send behind every earlier `put`.
 */
export class Safety {
  /** The last block voted for. */
  voted: Reference = GENESIS
  /** The highest certificate of a block voted for. */
  lock: Certificate = GENESIS

  constructor(
    private readonly host: EngineHost,
    stored: Uint8Array | undefined,
  ) {
    Object.assign(this, State.decode(stored))
  }

  isLater(block: Block): boolean {
    return compare(block, this.voted) > 0
  }

  isUnlocked(block: Block): boolean {
    return compare(block.parent, this.lock) >= 0
  }

  /** From now on this is what was voted for. */
  record(block: Block): void {
    this.voted = { view: block.view, seq: block.seq, id: block.id }
    if (compare(block.parent, this.lock) > 0) this.lock = block.parent
    this.host.put('state', State.encode(this))
  }
}
