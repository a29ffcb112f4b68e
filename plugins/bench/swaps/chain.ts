import { callUnary, hex, OpenchainService } from '../../../proto/index.js'
import type { Devnet, PeerPlan } from '../../devnet/index.js'

/** Blocks that are asked for at a time. */
const AT_A_TIME = 16

/** When a validator committed a block of clients' transactions. */
export interface Commit {
  readonly block: bigint
  /** Milliseconds since 1970, of that validator's clock. */
  readonly atMs: number
}

/** The chain of one validator, as far as a bench looks at it. */
export interface ReadChain {
  readonly id: string
  /** Hash of the head: equal chains have equal ones. */
  readonly headHash: string
  readonly height: bigint
  readonly commits: readonly Commit[]
  /** Clients' transactions, in order; only of the validator that was asked for them. */
  readonly txids: readonly string[]
}

/** Reads a whole chain. `isOwn` tells the host's own transactions, which are left out: a block of nothing else is no commit for a client. */
export async function readChain(devnet: Devnet, peer: PeerPlan, isOwn: (txid: string) => boolean, withTransactions: boolean): Promise<ReadChain> {
  const client = devnet.client(peer)
  const { height, currentBlockHash } = await callUnary(client, OpenchainService.getBlockchainInfo, {})
  const commits: Commit[] = []
  const txids: string[] = []
  for (let first = 0n; first < height; first += BigInt(AT_A_TIME)) {
    const numbers = Array.from({ length: AT_A_TIME }, (_, offset) => first + BigInt(offset)).filter((number) => number < height)
    const blocks = await Promise.all(numbers.map((number) => callUnary(client, OpenchainService.getBlockByNumber, { number })))
    for (const [index, { transactions, nonHashData }] of blocks.entries()) {
      const clients = transactions.filter(({ txid }) => !isOwn(txid))
      const time = nonHashData?.localLedgerCommitTimestamp
      if (time && clients.length > 0) commits.push({ block: first + BigInt(index), atMs: Number(time.seconds) * 1000 + time.nanos / 1e6 })
      if (withTransactions) for (const { txid } of clients) txids.push(txid)
    }
  }
  return { id: peer.id, headHash: hex(currentBlockHash), height, commits, txids }
}

/** When each block was at a quorum: at all but a third of the validators. */
export function quorumCommits(chains: readonly ReadChain[]): Commit[] {
  const times = new Map<bigint, number[]>()
  for (const { commits } of chains) for (const { block, atMs } of commits) times.set(block, [...(times.get(block) ?? []), atMs])
  const needed = chains.length - Math.floor((chains.length - 1) / 3)
  const commits: Commit[] = []
  for (const [block, moments] of times) {
    const atMs = moments.sort((left, right) => left - right)[needed - 1]
    if (atMs !== undefined) commits.push({ block, atMs })
  }
  // A transfer may bring a later block before an earlier one is executed.
  return commits.sort((left, right) => left.atMs - right.atMs)
}

/** A time without a commit, from `atMs` (milliseconds since 1970) on. */
export interface Gap {
  readonly atMs: number
  readonly ms: number
}

/** The longest time between two commits of which one is in a window, or both lie around it. */
export function longestGap(commits: readonly Commit[], fromMs: number, toMs: number): Gap {
  let longest: Gap = { atMs: fromMs, ms: 0 }
  let last: number | undefined
  for (const { atMs } of commits) {
    if (last !== undefined && atMs > fromMs && last < toMs && atMs - last > longest.ms) longest = { atMs: last, ms: atMs - last }
    last = atMs
  }
  return longest
}
