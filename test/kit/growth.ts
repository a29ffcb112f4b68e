import type { EngineFactory } from '../../plugins/consensus/index.js'
import { ContractViolation } from './failures.js'
import { usedMemoryBytes } from './used-memory.js'
import { LoneHost } from './lone-host.js'
import { ModelWorld } from './model-world.js'
import { follow, recordEngine, type Recording } from './recording.js'
import { makeRequest, makeTransaction } from './transactions.js'

/** Heights. What still grows between the last two has no bound; what grew before may be filling up to one. */
const HEIGHTS = [150, 300, 600, 1200, 2400] as const
/** Requests of a validator that is alone. A request book remembers 40,000 ids in two halves, so that it has as many at the end of each of the later stages. */
const REQUESTS = [5000, 10_000, 20_000, 40_000, 80_000] as const
const BATCH = 10
const PATIENCE_MS = 60_000

/** More than a request's id takes that is remembered, and much less than a message that is held (see `follow`). */
const BYTES_PER_BLOCK = 512
/** Less than a number takes. */
const BYTES_PER_REQUEST = 8
/** A record for each block, or each checkpoint of not too many, is more; so is a record that grows with every block. Those of the newest blocks may differ in size. */
const RECORDS_PER_BLOCK = 1 / 20
const RECORD_BYTES_PER_BLOCK = 4
const RECORD_BYTES_SHARE = 1 / 4

/** How much there is after so many blocks. */
interface Kept {
  readonly records: number
  readonly recordBytes: number
  /** Some of the keys. */
  readonly keys: ReadonlySet<string>
}

/** What an engine that does not grow without end was seen to keep of what was new at last. */
export interface Growth {
  /** Bytes of memory, of each block in each member of a network. */
  readonly perBlock: number
  /** Bytes of memory, of each request in a validator that is alone. */
  readonly perRequest: number
}

/**
 * Checks that what an engine keeps in its records and in memory has a bound, however long the chain: in quiet simulated networks whose chains get ever longer, until there is
 * as much at the end of a stage as at its beginning. `options` are raw, as a site writes them. Takes some seconds. Rejects with a ContractViolation.
 */
export async function checkGrowth(factory: EngineFactory, options: unknown, members: number): Promise<Growth> {
  return { perBlock: await growthInNetwork(factory, options, members), perRequest: await growthAlone(factory, options) }
}

/** All members of a network, one request in a block. Instances that are told what those of the network were told have no network around them that grows, too. */
async function growthInNetwork(factory: EngineFactory, options: unknown, members: number): Promise<number> {
  const lives: Recording[] = []
  const world = new ModelWorld({ seed: 1, members, engine: { factory: recordEngine(factory, lives, () => ''), options } })
  await world.start()
  let height = 1
  const growTo = async (wanted: number): Promise<void> => {
    for (; height < wanted; height += 1) {
      world.peer(height % members).submit(makeTransaction(`block ${height}`))
      await world.runUntil('a request is in every chain', () => world.peers.every(({ pendingRequests }) => pendingRequests === 0), PATIENCE_MS)
    }
  }
  const [first, ...stages] = HEIGHTS
  await growTo(first)
  const followers = lives.map((life) => follow(factory, factory.parseOptions(options), life))
  const goOn = (): void => {
    for (const tellNews of followers) tellNews()
  }
  goOn()
  let excess: string | undefined
  for (const stage of stages) {
    const from = height
    const kept = keptIn(world.peers.map(({ disk }) => disk.image.records))
    await growTo(stage)
    const before = await usedMemoryBytes()
    goOn()
    const bytes = (await usedMemoryBytes()) - before
    const perMember = (stage - from) * members
    excess =
      moreRecords(kept, keptIn(world.peers.map(({ disk }) => disk.image.records)), perMember) ??
      moreMemory(bytes, perMember, BYTES_PER_BLOCK, `block and member, of ${members}`)
    if (excess === undefined) return Math.max(0, Math.round(bytes / perMember))
  }
  // What they hold was measured, and may not be collected before.
  goOn()
  throw unbounded(excess, `from block ${HEIGHTS.at(-2)} to ${HEIGHTS.at(-1)} of a quiet chain`)
}

/** A validator that is alone, many requests in a block: long enough to tell what is remembered of all requests from what is remembered of the newest. */
async function growthAlone(factory: EngineFactory, options: unknown): Promise<number> {
  const host = new LoneHost(factory, factory.parseOptions(options))
  let count = 0
  const growTo = (wanted: number): void => {
    for (; count < wanted; count += BATCH) host.order(Array.from({ length: BATCH }, (_, index) => makeRequest(`request ${count + index}`)))
  }
  const [first, ...stages] = REQUESTS
  growTo(first)
  let excess: string | undefined
  for (const stage of stages) {
    const requests = stage - count
    const kept = keptIn([host.records])
    const before = await usedMemoryBytes()
    growTo(stage)
    const bytes = (await usedMemoryBytes()) - before
    excess = moreRecords(kept, keptIn([host.records]), requests / BATCH) ?? moreMemory(bytes, requests, BYTES_PER_REQUEST, 'request')
    if (excess === undefined) return Math.max(0, Math.round(bytes / requests))
  }
  throw unbounded(excess, `from request ${REQUESTS.at(-2)} to ${REQUESTS.at(-1)} of a validator that is alone`)
}

function keptIn(stores: readonly ReadonlyMap<string, Uint8Array>[]): Kept {
  const all = stores.flatMap((records) => [...records])
  return { records: all.length, recordBytes: all.reduce((sum, [, bytes]) => sum + bytes.length, 0), keys: new Set(all.map(([key]) => key)) }
}

function moreRecords(before: Kept, after: Kept, blocks: number): string | undefined {
  if (after.records - before.records > blocks * RECORDS_PER_BLOCK) {
    const stays = [...after.keys].filter((key) => !before.keys.has(key)).slice(0, 2)
    return `its records went from ${before.records} to ${after.records}, such as ${stays.map((key) => `'${key}'`).join(' and ')}: delete() what is no longer needed`
  }
  return after.recordBytes - before.recordBytes > Math.max(blocks * RECORD_BYTES_PER_BLOCK, before.recordBytes * RECORD_BYTES_SHARE)
    ? `its ${after.records} records went from ${before.recordBytes} to ${after.recordBytes} bytes: put() what is still needed, and not all that ever was`
    : undefined
}

function moreMemory(bytes: number, count: number, most: number, what: string): string | undefined {
  return bytes > count * most
    ? `its memory grew by ${(bytes / 1e6).toFixed(1)} MB, ${Math.round(bytes / count)} bytes for each ${what}: forget what is in blocks, or remember the newest alone (createRecentIds, createRequestBook)`
    : undefined
}

function unbounded(excess: string | undefined, where: string): ContractViolation {
  return new ContractViolation(`expected that what an engine keeps has a bound, however long the chain; ${where} ${excess ?? ''}`)
}
