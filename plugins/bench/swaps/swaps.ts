import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PeerError } from '../../../kernel/index.js'
import { callUnary, ConsensusToolsService, decode, PlanSwapRequest, type SuccessionReport, SwapProposal } from '../../../proto/index.js'
import type { Devnet, PeerPlan } from '../../devnet/index.js'
import { invocation, Load, type LoadResult } from '../load.js'
import { connections, inStep } from '../network.js'
import { type Commit, type Gap, longestGap, quorumCommits, readChain, type ReadChain } from './chain.js'
import { DiskBystander } from './disk.js'
import { reordered, Witness } from './witness.js'

const SETTLED_MS = 300
const LOOK_EVERY_MS = 100
const SWAPPED_WITHIN_MS = 60_000
/** Under load, before the first swap: until then the code is cold, and pauses are longer with and without swaps. */
const WARM_UP_MS = 10_000
const FIRST_QUIET_MS = 1500
/** Transactions of the hosts themselves. */
const OWN = 'consensus-'

/** One swap under load. Gaps: the longest time without a block of clients' transactions at the validator where it was longest, in milliseconds. */
export interface SwapRow {
  readonly from: string
  readonly to: string
  /** From the command until every validator runs the new engine and the old one is gone everywhere. */
  readonly tookMs: number
  readonly gapMs: number
  /** When that gap began, in milliseconds since 1970, and at which validator it was. */
  readonly gapAtMs: number
  readonly gapAt: string
  /** Without a new block at a quorum of the validators. */
  readonly quorumGapMs: number
  /** The first in the same time without a swap, just before. */
  readonly quietMs: number
  /** The longest that a bystander's synced write of 4 KiB took meanwhile. */
  readonly diskMs: number
}

/** What a network did while its engine was swapped. */
export interface SwapsReport {
  readonly validators: number
  readonly rate: number
  readonly rows: readonly SwapRow[]
  /** How long each synced write of a bystander took, in milliseconds, from the first swap to the last. */
  readonly diskMs: readonly number[]
  readonly load: LoadResult
  /** Acknowledged transactions that the chain does not have, and that it has more than once. */
  readonly acknowledged: number
  readonly lost: number
  readonly doubled: number
  /** Transactions that are in the chain before one that the same door accepted earlier. */
  readonly reordered: readonly number[]
  readonly heads: readonly string[]
}

export interface SwapsOptions {
  /** Engines, one after the other and from the start again; the first one runs already. */
  readonly route: readonly string[]
  readonly swaps: number
  readonly rate: number
  readonly chaincode: string
  /** Where a bystander may write, on the disk of the validators. */
  readonly directory: string
  readonly say: (text: string) => void
}

interface Window {
  readonly from: string
  readonly to: string
  readonly quietFromMs: number
  readonly beganMs: number
  readonly endedMs: number
}

/** Swaps the engine of a network under a steady load, by the call that `peer consensus swap` makes. */
export async function measureSwaps(devnet: Devnet, options: SwapsOptions): Promise<SwapsReport> {
  const { rate, chaincode } = options
  const { peers } = devnet
  const request = invocation(chaincode, ['invoke', 'a', 'b', '1'])
  const acknowledged: string[] = []
  const opened = connections(peers, rate, request)
  let isOver = false
  try {
    const loading = new Load(opened, (txid) => void acknowledged.push(txid)).steady(rate, () => isOver)
    const witnesses = peers.map((peer) => new Witness(peer, request))
    const disk = new DiskBystander(join(options.directory, 'bystander'))
    const windows: Window[] = []
    try {
      windows.push(...(await swapAll(devnet, options)))
    } finally {
      isOver = true
      await Promise.all([disk, ...witnesses].map((each) => each.stop()))
    }
    const load = await loading
    await inStep(devnet)
    const chains: ReadChain[] = []
    for (const [index, peer] of peers.entries()) chains.push(await readChain(devnet, peer, (txid) => txid.startsWith(OWN), index === 0))
    const { counts, places } = placesOf(chains[0]?.txids ?? [])
    const quorum = quorumCommits(chains)
    const promised = [...acknowledged, ...witnesses.flatMap((witness) => witness.accepted)]
    return {
      validators: peers.length,
      rate,
      rows: windows.map((window) => rowOf(window, { chains, quorum, disk })),
      diskMs: disk.writes.map(({ ms }) => ms),
      load,
      acknowledged: promised.length,
      lost: promised.filter((txid) => !counts.has(txid)).length,
      doubled: [...counts.values()].filter((count) => count > 1).length,
      reordered: witnesses.map(({ accepted }) => reordered(accepted, places)),
      heads: chains.map(({ headHash }) => headHash),
    }
  } finally {
    isOver = true
    for (const connection of opened) connection.close()
  }
}

async function swapAll(devnet: Devnet, { route, swaps, say }: SwapsOptions): Promise<Window[]> {
  await sleep(WARM_UP_MS)
  const windows: Window[] = []
  let quietMs = FIRST_QUIET_MS
  for (let index = 0; index < swaps; index++) {
    const [from = '', to = ''] = [route[index % route.length], route[(index + 1) % route.length]]
    await sleep(quietMs + SETTLED_MS)
    const peer = devnet.peers[index % devnet.peers.length]
    if (!peer) throw new PeerError('ERR_USAGE', 'swaps need a network')
    const beganMs = Date.now()
    await swap(devnet, peer, to)
    const endedMs = Date.now()
    quietMs = endedMs - beganMs
    windows.push({ from, to, quietFromMs: beganMs - quietMs, beganMs, endedMs: endedMs + SETTLED_MS })
    say(`${index + 1}: ${from} to ${to} in ${quietMs} ms`)
  }
  await sleep(SETTLED_MS)
  return windows
}

/** One swap, from the command at `peer` until every validator has crossed and let the old engine go. */
async function swap(devnet: Devnet, peer: PeerPlan, engine: string): Promise<void> {
  const client = devnet.client(peer)
  const plan = await callUnary(client, ConsensusToolsService.planSwap, PlanSwapRequest.fromPartial({ engine, allowWeaker: true }))
  if (plan.objection !== '') throw new PeerError('ERR_BENCH_SWAP', `the swap to ${engine} is refused: ${plan.objection}`)
  const { error } = await callUnary(client, ConsensusToolsService.proposeSwap, { proposal: plan.proposal, signatures: new Uint8Array(0) })
  if (error !== '') throw new PeerError('ERR_BENCH_SWAP', `the swap to ${engine} was rejected: ${error}`)
  const epoch = decode(SwapProposal, plan.proposal).fromEpoch + 1n
  const deadline = performance.now() + SWAPPED_WITHIN_MS
  for (;;) {
    const reports = await Promise.all(devnet.peers.map((each) => callUnary(devnet.client(each), ConsensusToolsService.succession, { history: false })))
    const stage = stageOf(reports, epoch)
    if (stage === 'over') return
    if (stage === 'cancelled') throw new PeerError('ERR_BENCH_SWAP', `the swap to ${engine} was cancelled${reasonsOf(reports)}`)
    if (performance.now() > deadline) {
      const shown = reports.map(({ record, phase, refusal }) => `${record?.engine} of epoch ${record?.epoch} ${phase} ${refusal}`)
      throw new PeerError('ERR_BENCH_SWAP', `the swap to ${engine} is not over after ${SWAPPED_WITHIN_MS / 1000} s: ${shown.join('; ')}`)
    }
    await sleep(LOOK_EVERY_MS)
  }
}

/** How far a swap to an epoch is that one of the validators has prepared. By the epoch: the engine of one may be that of the epoch before. */
export function stageOf(reports: readonly Pick<SuccessionReport, 'record' | 'candidate' | 'sealing'>[], epoch: bigint): 'under way' | 'over' | 'cancelled' {
  const isThere = ({ record, sealing }: Pick<SuccessionReport, 'record' | 'sealing'>): boolean =>
    record !== undefined && record.epoch >= epoch && record.started.length >= record.markersNeeded && !sealing
  if (reports.every(isThere)) return 'over'
  const isOff = reports.every(({ record, candidate }) => (record?.epoch ?? 0n) < epoch && candidate === undefined)
  return isOff ? 'cancelled' : 'under way'
}

/** What validators said against the last candidate. */
function reasonsOf(reports: readonly SuccessionReport[]): string {
  const reasons = new Set(reports.flatMap(({ objections }) => objections.map(({ member, reason }) => `validator ${member}: ${reason}`)))
  return reasons.size === 0 ? '' : `: ${[...reasons].join('; ')}`
}

interface Observed {
  readonly chains: readonly ReadChain[]
  readonly quorum: readonly Commit[]
  readonly disk: DiskBystander
}

function rowOf({ from, to, quietFromMs, beganMs, endedMs }: Window, { chains, quorum, disk }: Observed): SwapRow {
  const gap = worst(chains, beganMs, endedMs)
  return {
    from,
    to,
    tookMs: endedMs - SETTLED_MS - beganMs,
    gapMs: gap.ms,
    gapAtMs: gap.atMs,
    gapAt: gap.id,
    quorumGapMs: longestGap(quorum, beganMs, endedMs).ms,
    quietMs: worst(chains, quietFromMs, beganMs).ms,
    diskMs: disk.longest(beganMs, endedMs),
  }
}

/** The longest gap of all validators in a window. */
function worst(chains: readonly ReadChain[], fromMs: number, toMs: number): Gap & { readonly id: string } {
  const gaps = chains.map(({ id, commits }) => ({ id, ...longestGap(commits, fromMs, toMs) }))
  return gaps.reduce((longest, gap) => (gap.ms > longest.ms ? gap : longest), { id: '', ms: 0, atMs: fromMs })
}

function placesOf(txids: readonly string[]): { readonly counts: ReadonlyMap<string, number>; readonly places: ReadonlyMap<string, number> } {
  const counts = new Map<string, number>()
  const places = new Map<string, number>()
  for (const [place, txid] of txids.entries()) {
    counts.set(txid, (counts.get(txid) ?? 0) + 1)
    if (!places.has(txid)) places.set(txid, place)
  }
  return { counts, places }
}
