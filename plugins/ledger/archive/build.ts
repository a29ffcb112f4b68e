import { PeerError, messageOf } from '../../../kernel/index.js'
import { Block, blockTransactions, canonicalBlock, decode, hex } from '../../../proto/index.js'
import type { Store } from '../../level/index.js'
import { sameBytes, shortHex } from '../bytes.js'
import { Chain, blockHash, transactionIds } from '../chain.js'
import { GroupBatch } from '../group-batch.js'
import type { Height } from '../ledger.js'
import { pauseEvery } from '../pause.js'
import { type LedgerSettings, META, isSameStructure, settle, structureText } from '../settings.js'
import { WorldState } from '../world-state.js'
import { badArchive } from './errors.js'
import { type ArchiveEnd, type ArchiveHeader, decodeHeader } from './header.js'
import type { ArchiveRecord } from './read.js'
import { readStatePiece } from './state-pieces.js'
import { StateWriter } from './state-writer.js'

const MAX_PENDING_BYTES = 4 * 1024 * 1024
const MAX_PENDING_BLOCKS = 500
const RECORDS_BETWEEN_PAUSES = 64
const MAX_CACHE_MIB = 16

export interface BuildOptions {
  readonly settings: LedgerSettings
  /** Hash of the newest block, from somebody whom the operator trusts. */
  readonly expectedHead?: Uint8Array | undefined
  /** Takes a state of which the head's state hash does not cover every key (a trie, or raw). */
  readonly acceptUncovered?: boolean
  readonly progress?: (progress: { readonly blocks: Height; readonly height: Height; readonly keys: bigint }) => void
}

/** What was built. */
export interface BuildReport {
  readonly height: Height
  readonly head: Uint8Array
  readonly stateHash: Uint8Array | undefined
  readonly keys: bigint
  /** Keys that no hash of the chain vouches for. */
  readonly uncovered: bigint
}

/**
 * Builds a ledger from an archive in an empty store. Every block is hashed and has to name the hash of the one before, the last one is the head that the
 * header names, and the state has to have the head's state hash. Until this resolves the store is no ledger.
 *
 * @throws PeerError ERR_ARCHIVE for whatever is wrong with it; ERR_ARCHIVE_SETTINGS, ERR_ARCHIVE_HEAD, ERR_ARCHIVE_UNCOVERED
 */
export async function buildLedger(store: Store, records: AsyncIterable<ArchiveRecord>, options: BuildOptions): Promise<BuildReport> {
  let builder: LedgerBuilder | undefined
  let end: ArchiveEnd | undefined
  for await (const record of records) {
    if (record.kind === 'end') end = record.end
    else if (!builder) builder = await LedgerBuilder.begin(store, record, options)
    else await builder.take(record)
  }
  if (!builder || !end) throw badArchive('it has no header')
  return builder.finish(end)
}

class LedgerBuilder {
  private readonly pause = pauseEvery(RECORDS_BETWEEN_PAUSES)
  private readonly state: StateWriter
  /** An id may repeat within it. */
  private batch: GroupBatch
  private pendingBlocks = 0
  private next: Height = 0n
  private lastHash: Uint8Array | undefined
  private beforeLast: Uint8Array | undefined
  private stateHash: Uint8Array | undefined

  private constructor(
    private readonly store: Store,
    private readonly world: WorldState,
    private readonly chain: Chain,
    private readonly header: ArchiveHeader,
    private readonly options: BuildOptions,
  ) {
    this.batch = new GroupBatch(store.batch())
    this.state = new StateWriter(store, world.structure, header.context)
  }

  static async begin(store: Store, record: ArchiveRecord, options: BuildOptions): Promise<LedgerBuilder> {
    if (record.kind !== 'header') throw badArchive('its first record is no header')
    const header = decodeHeader(record.payload)
    const { settings, expectedHead } = options
    if (!isSameStructure(settings, header.structure)) {
      throw new PeerError(
        'ERR_ARCHIVE_SETTINGS',
        `the archive has ledger.state.dataStructure ${structureText(header.structure)}, the site asks for ${structureText(settings)}`,
        { hint: 'they determine every state hash: configure the site as the network is, or get an archive of the right network' },
      )
    }
    if (expectedHead) requireHead(expectedHead, header.head)
    const meta = store.namespace(META)
    await settle(store, meta, settings)
    return new LedgerBuilder(store, new WorldState(store, meta, withSmallCache(settings)), new Chain(store, meta), header, options)
  }

  async take({ kind, payload }: Exclude<ArchiveRecord, { kind: 'end' }>): Promise<void> {
    switch (kind) {
      case 'header':
        throw badArchive('it has two headers')
      case 'block':
        await this.block(payload)
        break
      case 'state':
        await this.piece(payload)
        break
    }
    this.options.progress?.({ blocks: this.next, height: this.header.height, keys: this.state.keys })
    await this.pause()
  }

  /** Accepts the ledger in one last, synced write. */
  async finish(end: ArchiveEnd): Promise<BuildReport> {
    const { height, head } = this.header
    this.requireWholeChain()
    if (end.blocks !== height || end.keys !== this.state.keys)
      throw badArchive(`its last record counts ${end.blocks} blocks and ${end.keys} keys; there are ${height} and ${this.state.keys}`)
    await this.flush()
    const stateHash = await this.state.finish()
    if (!sameBytes(stateHash, this.stateHash))
      throw badArchive(`block ${height - 1n} has the state hash ${shortHex(this.stateHash)}, its state gives ${shortHex(stateHash)}`)
    const { uncovered } = this.state
    if (uncovered > 0n && !this.options.acceptUncovered) throw notCovered(uncovered, this.state.keys)
    const batch = this.store.batch()
    this.world.markBlock(batch, height - 1n, 'executed')
    await this.store.commit(batch, 'block')
    return { height, head, stateHash, keys: this.state.keys, uncovered }
  }

  private async block(payload: Uint8Array): Promise<void> {
    const number = this.next
    if (this.state.keys > 0n) throw badArchive(`block ${number} comes after the state`)
    if (number >= this.header.height) throw badArchive(`it has more than the ${this.header.height} blocks that its header names`)
    const { bytes, hash, previousBlockHash, stateHash } = readBlock(number, payload)
    if (!sameBytes(previousBlockHash, this.lastHash))
      throw badArchive(`block ${number} names ${shortHex(previousBlockHash)} as the hash of the block before, which has ${shortHex(this.lastHash)}`)
    this.chain.write(this.batch, number, bytes, hash, blockTransactions(bytes), transactionIds(bytes))
    this.next += 1n
    this.beforeLast = this.lastHash
    this.lastHash = hash
    this.stateHash = stateHash
    this.pendingBlocks += 1
    if (this.pendingBlocks >= MAX_PENDING_BLOCKS || this.batch.byteLength >= MAX_PENDING_BYTES) await this.flush()
  }

  private async piece(payload: Uint8Array): Promise<void> {
    if (this.state.keys === 0n) this.requireWholeChain()
    await this.flush()
    await this.state.add(readStatePiece(payload, this.header.structure.structure === 'trie'))
  }

  private requireWholeChain(): void {
    const { height, head } = this.header
    if (this.next !== height) throw badArchive(`its header names ${height} blocks, it has ${this.next}`)
    if (!sameBytes(this.lastHash, head))
      throw badArchive(`its header names ${shortHex(head)} as the hash of the newest block, which has ${shortHex(this.lastHash)}`)
  }

  private async flush(): Promise<void> {
    if (this.pendingBlocks === 0 || this.lastHash === undefined) return
    await this.store.commit(this.batch.written, 'record')
    this.chain.advance(this.next - 1n, this.lastHash, this.beforeLast)
    this.batch = new GroupBatch(this.store.batch())
    this.pendingBlocks = 0
  }
}

/** Buckets come one after the other: only the nodes above them are met again. */
function withSmallCache(settings: LedgerSettings): LedgerSettings {
  return { ...settings, bucketCacheSizeMiB: Math.min(settings.bucketCacheSizeMiB, MAX_CACHE_MIB) }
}

interface ReadBlock {
  readonly bytes: Uint8Array
  readonly hash: Uint8Array
  readonly previousBlockHash: Uint8Array | undefined
  readonly stateHash: Uint8Array | undefined
}

function readBlock(number: Height, payload: Uint8Array): ReadBlock {
  try {
    const bytes = canonicalBlock(payload)
    const { previousBlockHash, stateHash } = decode(Block, bytes)
    return { bytes, hash: blockHash(bytes), previousBlockHash: present(previousBlockHash), stateHash: present(stateHash) }
  } catch (cause) {
    throw badArchive(`block ${number} cannot be read: ${messageOf(cause)}`)
  }
}

function present(bytes: Uint8Array): Uint8Array | undefined {
  return bytes.length > 0 ? bytes : undefined
}

function requireHead(expected: Uint8Array, found: Uint8Array): void {
  if (sameBytes(expected, found)) return
  throw new PeerError('ERR_ARCHIVE_HEAD', `expected an archive whose newest block has the hash ${hex(expected)}, found ${hex(found)}`, {
    hint: '`peer ledger info` on a validator of the network shows the hash; an archive may also just be older or newer',
  })
}

function notCovered(uncovered: bigint, keys: bigint): PeerError {
  return new PeerError('ERR_ARCHIVE_UNCOVERED', `the head's state hash does not vouch for ${uncovered} of the ${keys} keys of the archive`, {
    hint: 'of a trie the hash covers what the last block touched, of raw nothing: if you trust where the archive comes from, import it with --accept-uncovered',
  })
}
