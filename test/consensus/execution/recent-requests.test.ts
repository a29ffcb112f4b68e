import fc from 'fast-check'
import { expect, it } from 'vitest'
import { RecentRequests, requestsFrom } from '../../../plugins/consensus/execution/recent-requests.js'
import { Block, type BlockchainInfo, encode, Transaction } from '../../../proto/index.js'
/** Requests that are told, at most. */
const MOST = 10_000

/** A chain that grows, and whose last blocks may be replaced by others. */
class Chain {
  private readonly blocks: Uint8Array[] = []
  private made = 0

  height(): bigint {
    return BigInt(this.blocks.length)
  }

  blockBytes(number: bigint): Uint8Array | undefined {
    return this.blocks[Number(number)]
  }

  info(): BlockchainInfo {
    const hashOf = (number: number): Uint8Array => Buffer.from(this.blocks[number] ?? [])
    return { height: this.height(), currentBlockHash: hashOf(this.blocks.length - 1), previousBlockHash: hashOf(this.blocks.length - 2) }
  }

  add(count: number): void {
    const transactions = Array.from({ length: count }, () => Transaction.fromPartial({ txid: String(this.made++) }))
    const transaction = Transaction.fromPartial({ txid: `of block ${this.made++}` })
    this.blocks.push(encode(Block, Block.fromPartial({ transactions: [...transactions, transaction] })))
  }

  drop(count: number): void {
    this.blocks.splice(Math.max(0, this.blocks.length - count))
  }
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('block' as const), count: fc.nat(3000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('other blocks' as const), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('turns' as const), count: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), count: fc.constant(0) }) },
)

it('what is read ahead is what would be read at once, whatever the chain does meanwhile', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const chain = new Chain()
      const tasks: (() => void)[] = []
      const recent = new RecentRequests(chain, MOST, (task) => void tasks.push(task))
      for (const { kind, count } of steps) {
        if (kind === 'forget') recent.forget()
        else if (kind === 'turns') for (let turn = 0; turn < count; turn++) tasks.shift()?.()
        else {
          if (kind === 'other blocks') chain.drop(count)
          for (let made = 0; made < (kind === 'block' ? 1 : count); made++) chain.add(kind === 'block' ? count : 1)
          recent.follow()
        }
      }
      expect(recent.ids()).toEqual(requestsFrom(chain, 0n, MOST).ids)
      expect(recent.ids()).toEqual(requestsFrom(chain, 0n, MOST).ids)
    }),
    { numRuns: 25 },
  )
})

it('it reads a part in each turn, and nothing twice', () => {
  const chain = new Chain()
  for (let block = 0; block < 100; block++) chain.add(149)
  let reads = 0
  const counted = { height: () => chain.height(), info: () => chain.info(), blockBytes: (number: bigint) => (reads++, chain.blockBytes(number)) }
  const tasks: (() => void)[] = []
  const recent = new RecentRequests(counted, MOST, (task) => void tasks.push(task))
  recent.follow()
  expect(reads).toBe(0)
  let turns = 0
  for (let task = tasks.shift(); task; task = tasks.shift()) {
    const before = reads
    task()
    turns++
    expect(reads - before).toBeLessThanOrEqual(2)
  }
  expect(turns).toBeGreaterThan(30)
  reads = 0
  chain.add(10)
  recent.follow()
  expect(recent.ids()).toHaveLength(9911)
  expect(reads).toBe(1)
})
