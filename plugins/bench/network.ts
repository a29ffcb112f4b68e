import { createServer } from 'node:net'
import { PeerError } from '../../kernel/index.js'
import { callUnary, ChaincodeInvocationSpec, DevopsService, hex } from '../../proto/index.js'
import type { Devnet, PeerPlan } from '../devnet/index.js'
import { cpuMicros } from './processes.js'
import { InvokeConnection } from './unary-client.js'

const STEP_MS = 60_000
const LOOK_EVERY_MS = 20
const MOST_TRIES = 50
const CALLS_PER_CONNECTION = 200

/** A devnet that is measured. */
export interface Measured {
  readonly devnet: Devnet
  /** From the start of the processes until all can order, in milliseconds. */
  readonly meshMs: number
}

/** How long something takes, in milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

/** Waits until all peers have the same head and nothing waits. Throws ERR_BENCH_APART, with what they have, if that does not come. */
export async function inStep(devnet: Devnet): Promise<void> {
  const deadline = performance.now() + STEP_MS
  for (;;) {
    const found = await devnet.look()
    const heads = found.map(({ view }) => (view.state === 'running' ? hex(view.report.headHash) : view.state))
    const isIdle = found.every(({ view }) => view.state === 'running' && view.report.pending === 0n)
    if (isIdle && new Set(heads).size === 1) return
    if (performance.now() > deadline) {
      const shown = found.map(({ peer, view }) =>
        view.state === 'running' ? `${peer.id} ${view.report.height}, ${view.report.pending} pending` : `${peer.id} ${view.state}`,
      )
      throw new PeerError('ERR_BENCH_APART', `the validators are not in step a minute after the load: ${shown.join('; ')}`)
    }
    await pause(LOOK_EVERY_MS)
  }
}

/** Waits until a peer has the height that another one has now. */
export async function caughtUp(devnet: Devnet, peer: PeerPlan, other: PeerPlan): Promise<void> {
  const height = async (of: PeerPlan): Promise<bigint> => {
    const view = (await devnet.look()).find(({ peer: { id } }) => id === of.id)?.view
    return view?.state === 'running' ? view.report.height : -1n
  }
  const target = await height(other)
  for (const deadline = performance.now() + STEP_MS; (await height(peer)) < target; await pause(LOOK_EVERY_MS)) {
    if (performance.now() > deadline) throw new PeerError('ERR_BENCH_APART', `${peer.id} has not reached height ${target} within a minute`)
  }
}

/** The value of a key of example02 at every peer. */
export async function values(devnet: Devnet, chaincode: string, key: string): Promise<readonly number[]> {
  const chaincodeSpec = { type: 1, chaincodeID: { name: chaincode }, ctorMsg: { args: ['query', key].map((arg) => Buffer.from(arg)) } }
  const request = ChaincodeInvocationSpec.fromPartial({ chaincodeSpec })
  return Promise.all(devnet.peers.map(async (peer) => Number(Buffer.from((await callUnary(devnet.client(peer), DevopsService.query, request)).msg).toString())))
}

/** CPU time of every peer that runs, in microseconds, in their order. */
export function cpuOf(devnet: Devnet): readonly number[] {
  return devnet.peers.map((peer) => {
    const pid = devnet.pid(peer)
    return pid === undefined ? 0 : cpuMicros(pid)
  })
}

/** Connections to these peers in turn, enough for so many calls at a time; a peer takes 256 calls on each. */
export function connections(peers: readonly PeerPlan[], inFlight: number, request: Uint8Array): readonly InvokeConnection[] {
  const perPeer = Math.max(1, Math.ceil(inFlight / peers.length / CALLS_PER_CONNECTION))
  return Array.from({ length: perPeer }, () => peers.map(({ address }) => new InvokeConnection(address, request))).flat()
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** The first of so many ports in a row that nobody has. */
export async function freePorts(count: number): Promise<number> {
  for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
    const first = 20_000 + Math.floor((Math.random() * (32_000 - count - 20_000)) / 10) * 10
    const free = await Promise.all(Array.from({ length: count }, (_, offset) => isFree(first + offset)))
    if (free.every(Boolean)) return first
  }
  throw new PeerError('ERR_BENCH_PORTS', `no ${count} free ports in a row were found between 20000 and 32000`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host: '127.0.0.1', port }, () => server.close(() => resolve(true)))
  })
}
