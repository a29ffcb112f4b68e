import { createHash } from 'node:crypto'
import { PeerError } from '../../../kernel/index.js'
import type { StoreSnapshot } from '../../level/index.js'
import { type Chain, blockHash, links } from '../chain.js'
import { corrupt, stateBehind } from '../errors.js'
import type { Height } from '../ledger.js'
import { pauseEvery } from '../pause.js'
import type { DataStructure } from '../settings.js'
import { prefixedLength, writePrefixed } from '../varint.js'
import type { WorldStateStructure } from '../world-state-structure.js'
import { encodeEnd, encodeHeader } from './header.js'
import { MAGIC, RECORD, frameHead, frameTail } from './records.js'

/** What is archived, of one moment. The snapshot is released at the end. */
export interface ArchiveSource {
  readonly chain: Chain
  readonly snapshot: StoreSnapshot
  readonly world: WorldStateStructure
  readonly structure: DataStructure
  /** The block whose state the world state is. */
  readonly stateBlock: Height | undefined
}

/** What has been written so far. */
export interface ExportProgress {
  readonly blocks: Height
  readonly height: Height
  readonly keys: bigint
}

/** State records end where they reach this. */
const STATE_RECORD_BYTES = 64 * 1024
/** Pieces are gathered to about this size, and longer ones cut. */
const CHUNK_BYTES = 256 * 1024
const RECORDS_BETWEEN_PAUSES = 16
const MAX_LENGTH = 0xffffffff

/**
 * The archive of a ledger (docs/reference/ledger-archive.md) in pieces of at most 256 KiB, in bounded memory; the same ledger gives the same bytes. Every
 * block and link is hashed on the way.
 *
 * @throws PeerError ERR_LEDGER_CORRUPT if a block is missing or does not link; ERR_LEDGER_STATE_BEHIND while the state is not that of the head
 */
export async function* writeArchive(source: ArchiveSource, progress?: (progress: ExportProgress) => void): AsyncGenerator<Uint8Array> {
  try {
    yield* inChunks(new ArchiveWriter(source, progress).pieces())
  } finally {
    await source.snapshot.release()
  }
}

class ArchiveWriter {
  private readonly sha256 = createHash('sha256')
  private readonly pause = pauseEvery(RECORDS_BETWEEN_PAUSES)
  private readonly height: Height
  private keys = 0n

  constructor(
    private readonly source: ArchiveSource,
    private readonly progress: ((progress: ExportProgress) => void) | undefined,
  ) {
    this.height = source.chain.heightAt(source.snapshot)
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    const { height } = this
    const { chain, snapshot, stateBlock, structure, world } = this.source
    if (height === 0n) throw new PeerError('ERR_LEDGER_EMPTY', 'expected a ledger with at least one block, found an empty one')
    if (stateBlock !== height - 1n) throw stateBehind(stateBlock, height)
    const head = chain.stored(height - 1n, snapshot)
    if (!head) throw corrupt(`the head block ${height - 1n} is missing`)
    this.sha256.update(MAGIC)
    yield MAGIC
    yield* this.record(RECORD.header, encodeHeader({ height, head: blockHash(head), structure, context: world.hashContext(snapshot) }))
    yield* this.blocks()
    yield* this.state()
    yield* this.record(RECORD.end, encodeEnd({ blocks: height, keys: this.keys, sha256: this.sha256.copy().digest('hex') }))
  }

  private async *blocks(): AsyncGenerator<Uint8Array> {
    const { chain, snapshot } = this.source
    let previous: Uint8Array | undefined
    for (let number = 0n; number < this.height; number += 1n) {
      const block = chain.stored(number, snapshot)
      if (!block) throw corrupt(`block ${number} is missing: an archive needs the whole chain`)
      if (previous && !links(block, previous)) throw corrupt(`block ${number} does not name the hash of block ${number - 1n}: one of them is damaged`)
      previous = block
      yield* this.record(RECORD.block, block)
      this.progress?.({ blocks: number + 1n, height: this.height, keys: 0n })
      await this.pause()
    }
  }

  private async *state(): AsyncGenerator<Uint8Array> {
    const { snapshot, world } = this.source
    let entries: Uint8Array[] = []
    let length = 0
    for await (const [composite, value] of world.entries(snapshot)) {
      const entry = Buffer.allocUnsafe(prefixedLength(composite.length) + prefixedLength(value.length))
      writePrefixed(entry, value, writePrefixed(entry, composite, 0))
      entries.push(entry)
      length += entry.length
      this.keys += 1n
      if (length < STATE_RECORD_BYTES) continue
      yield* this.record(RECORD.state, Buffer.concat(entries, length))
      this.progress?.({ blocks: this.height, height: this.height, keys: this.keys })
      entries = []
      length = 0
      await this.pause()
    }
    if (length > 0) yield* this.record(RECORD.state, Buffer.concat(entries, length))
    this.progress?.({ blocks: this.height, height: this.height, keys: this.keys })
  }

  private *record(kind: number, payload: Uint8Array): Generator<Uint8Array> {
    if (payload.length > MAX_LENGTH)
      throw new PeerError('ERR_ARCHIVE_RECORD', `expected a block or value below 4 GiB, found ${payload.length} bytes: it does not fit an archive`)
    const head = frameHead(kind, payload.length)
    for (const piece of [head, payload, frameTail(head, payload)]) {
      this.sha256.update(piece)
      yield piece
    }
  }
}

/** Gathers short pieces and cuts long ones. */
async function* inChunks(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let gathered: Uint8Array[] = []
  let length = 0
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + CHUNK_BYTES - length)
      gathered.push(part)
      length += part.length
      at += part.length
      if (length < CHUNK_BYTES) continue
      yield Buffer.concat(gathered, length)
      gathered = []
      length = 0
    }
  }
  if (length > 0) yield Buffer.concat(gathered, length)
}
