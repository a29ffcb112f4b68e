import { describe, expect, it } from 'vitest'
import { Block, BlockchainInfo, decode, encodeBlock } from '../../../proto/index.js'
import { createConsensusHost, requestId, succession } from '../../../plugins/consensus/index.js'
import { blockMetadata, engineMetadata, metadataOf } from '../../../plugins/consensus/execution/block-metadata.js'
import { RejectedRequests } from '../../../plugins/consensus/execution/rejected-requests.js'
import { createMemoryDisk, createRandom, createVirtualClock, makeTransaction, openLogicalLedger, VirtualTime } from '../../kit/index.js'
import { noops } from '../../../plugins/noops/engine.js'
import { silentLogger } from '../../kit/silent-logger.js'
import { createExecutor } from '../../kit/transactions.js'
import { pump } from '../../kit/pump.js'
import { MemoryStore } from '../kit/memory-store.js'

const ENGINE = Uint8Array.from(Buffer.from('of the engine'))
const identity = (bytes: Uint8Array): Uint8Array => Buffer.from(requestId(bytes), 'hex')

const plain = (bytes: Uint8Array | undefined): Uint8Array => Uint8Array.from(bytes ?? [])

const infoOf = ({ height }: { readonly height: () => bigint }) => ({ info: () => ({ ...BlockchainInfo.fromPartial({}), height: height() }) })

function chainOf(...metadata: readonly (Uint8Array | undefined)[]) {
  const none = new Uint8Array(0)
  const blocks = metadata.map((consensusMetadata = none) =>
    decode(Block, encodeBlock({ version: 0, timestamp: undefined, stateHash: none, previousBlockHash: none, consensusMetadata, nonHashData: undefined }, [])),
  )
  return { block: (number: bigint) => blocks[Number(number)], height: () => BigInt(blocks.length) }
}

describe("a block's consensus metadata", () => {
  it('is what the engine gave in epoch 0, and names the epoch and the rejected requests later', () => {
    expect(blockMetadata({ epoch: 0n, engine: ENGINE, rejected: [] })).toBe(ENGINE)
    expect(blockMetadata({ epoch: 0n, engine: undefined, rejected: [] })).toBeUndefined()
    const rejected = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    const chain = chainOf(ENGINE, blockMetadata({ epoch: 3n, engine: ENGINE, rejected }), blockMetadata({ epoch: 3n, engine: undefined, rejected: [] }))
    expect(metadataOf(chain, 0n, true)).toMatchObject({ epoch: 0n, rejected: [] })
    expect(metadataOf(chain, 1n, false).epoch).toBe(3n)
    expect(metadataOf(chain, 1n, false).rejected.map(plain)).toEqual(rejected)
    expect(metadataOf(chain, 2n, false)).toEqual({ epoch: 3n, engine: undefined, rejected: [] })
  })

  it('is told to an engine of its own epoch alone', () => {
    const chain = chainOf(undefined, ENGINE)
    expect(plain(engineMetadata(chain, 0n, 0n))).toEqual(ENGINE)
    expect(engineMetadata(chain, 1n, 1n)).toBeUndefined()
    expect(engineMetadata(chain, 1n, undefined)).toBeUndefined()
    const later = chainOf(undefined, ENGINE, blockMetadata({ epoch: 1n, engine: ENGINE, rejected: [] }))
    expect(plain(engineMetadata(later, 1n, 1n))).toEqual(ENGINE)
    expect(engineMetadata(chainOf(), 0n, undefined)).toBeUndefined()
  })
})

describe('rejected requests', () => {
  /** Resolves a promise that waits for virtual time. */
  async function inTime<T>(time: VirtualTime, promise: Promise<T>): Promise<T> {
    let isOver = false
    const settled = promise.finally(() => {
      isOver = true
    })
    await pump(() => {
      if (isOver || time.nextMs() === undefined) return false
      time.step()
      return true
    })
    return settled
  }

  it('are remembered from a block of its own, and from blocks of others, and forgotten after 10,000 blocks', async () => {
    const time = new VirtualTime()
    const store = await createMemoryDisk(time, createRandom(1), { minWriteMs: 1, maxWriteMs: 1 }).open()
    const [own, theirs, unknown] = ['own', 'theirs', 'unknown'].map((name) => makeTransaction(name, { fails: true }))
    if (!own || !theirs || !unknown) throw new Error('three requests')
    const chain = chainOf(undefined, undefined, blockMetadata({ epoch: 1n, engine: undefined, rejected: [identity(theirs)] }))
    let height = 3n
    const rejected = new RejectedRequests(store, { ...infoOf(chain), block: chain.block, height: () => height })
    await inTime(time, rejected.catchUp(2n))
    expect([own, theirs, unknown].map((bytes) => rejected.has(bytes))).toEqual([false, true, false])
    const batch = store.batch()
    rejected.write(batch, 3n, [identity(own)])
    await inTime(time, store.commit(batch, 'record'))
    height = 4n
    expect([own, theirs, unknown].map((bytes) => rejected.has(bytes))).toEqual([true, true, false])
    height = 10_002n
    expect([own, theirs].map((bytes) => rejected.has(bytes))).toEqual([true, true])
    height = 10_003n
    expect([own, theirs].map((bytes) => rejected.has(bytes))).toEqual([true, false])
  })
})

describe('rejected requests of blocks that others have replaced', () => {
  const id = (digit: number): Uint8Array => new Uint8Array(32).fill(digit)
  /** Blocks 1 and on are of epoch 1; each names its rejected requests, and the block below it by `name`. */
  const chain = (name: string, ...lists: readonly (readonly number[])[]) => {
    const blocks = [[], ...lists].map((list, number) => ({
      ...Block.fromPartial({}),
      previousBlockHash: Buffer.from(number < 2 ? 'common' : `${name} ${number - 1}`),
      consensusMetadata: blockMetadata({ epoch: 1n, engine: undefined, rejected: list.map(id) }) ?? new Uint8Array(0),
    }))
    const info = { ...BlockchainInfo.fromPartial({}), height: BigInt(blocks.length), currentBlockHash: Buffer.from(`${name} ${blocks.length - 1}`) }
    return { block: (number: bigint) => blocks[Number(number)], height: () => info.height, info: () => info }
  }
  /** Which of the requests 1 to 5 are known, by the block that rejected them. */
  async function known(...chains: readonly ReturnType<typeof chain>[]): Promise<string[]> {
    const store = new MemoryStore()
    for (const present of chains) await new RejectedRequests(store, present).catchUp(1n)
    return [...(store.rows.get('consensus') ?? [])].flatMap(([key, value]) => (key.startsWith('r') ? [`${key.charCodeAt(1)} in ${value[7]}`] : [])).sort()
  }

  it('are those of the others, whichever block was the first that differed', async () => {
    expect(await known(chain('own', [1], [2], [3]), chain('theirs', [1], [4], [5]))).toEqual(['1 in 1', '4 in 2', '5 in 3'])
    expect(await known(chain('own', [1], [2], [3]), chain('own', [1], [2], [5]))).toEqual(['1 in 1', '2 in 2', '5 in 3'])
    expect(await known(chain('own', [1], [2], [3]), chain('own', [1], [2], []))).toEqual(['1 in 1', '2 in 2'])
    expect(await known(chain('own', [1], [2], [3]), chain('theirs', [4], [5], [], [3]))).toEqual(['3 in 4', '4 in 1', '5 in 2'])
    expect(await known(chain('own', [1], [2]), chain('own', [1], [2], [3, 4]))).toEqual(['1 in 1', '2 in 2', '3 in 3', '4 in 3'])
  })

  it('are not written again if nothing was replaced', async () => {
    const store = new MemoryStore()
    for (const present of [chain('own', [1], [2, 2, 1]), chain('own', [1], [2, 2, 1])]) {
      store.written.length = 0
      await new RejectedRequests(store, present).catchUp(1n)
    }
    expect(store.written).toEqual([])
  })
})

describe('the reserved name', () => {
  it('is refused to whoever submits', async () => {
    const time = new VirtualTime()
    const clock = createVirtualClock(
      time,
      () => true,
      () => 0,
    )
    const store = await createMemoryDisk(time, createRandom(1), { minWriteMs: 1, maxWriteMs: 1 }).open()
    let started = false
    const opening = openLogicalLedger(store, clock).then(async (ledger) => {
      const host = createConsensusHost({
        store,
        ledger,
        chaincode: createExecutor(),
        engine: { factory: noops, options: undefined },
        members: [{ index: 0, id: 'vp0' }],
        self: 0,
        seed: 1n,
        clock,
        log: silentLogger,
        onFatal: (reason) => {
          throw reason
        },
      })
      await host.start()
      started = true
      return host
    })
    await pump(() => {
      if (started || time.nextMs() === undefined) return false
      time.step()
      return true
    })
    const host = await opening
    for (const call of ['prepare', 'start', 'anything']) {
      await expect(host.submit(succession('t', call, [new Uint8Array(0)]))).rejects.toMatchObject({ code: 'ERR_CONSENSUS_RESERVED' })
    }
    expect(host.status().pendingRequests).toBe(0)
  })
})
