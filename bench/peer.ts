import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Client, credentials } from '@grpc/grpc-js'
import { AdminService, type Block, OpenchainService, callUnary } from '../proto/index.js'
import { type MeasuredProcess, freePort, startNode } from './measured-process.js'

const MAIN = resolve(process.env['WEFT_MAIN'] ?? 'dist/kernel/cli/main.js')

/** A peer of the default site in a temporary directory. */
export interface BenchPeer {
  readonly process: MeasuredProcess
  readonly address: string
  readonly restAddress: string
  /** Of the event hub. */
  readonly eventsAddress: string
  readonly client: Client
  /** Milliseconds from spawning the process to its first status. */
  readonly firstStatusMs: number
  stop(): Promise<void>
}

export async function startPeer(flags: readonly string[] = []): Promise<BenchPeer> {
  const directory = mkdtempSync(join(tmpdir(), 'weft-bench-'))
  const address = `127.0.0.1:${await freePort()}`
  const [restAddress, eventsAddress] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`]
  const sets = [`peer.listenAddress=${address}`, `peer.address=${address}`, `rest.address=${restAddress}`, `peer.validator.events.address=${eventsAddress}`]
  const started = performance.now()
  const process = startNode([MAIN, 'node', 'start', ...flags, ...sets.flatMap((set) => ['--set', set])], directory)
  const client = newClient(address)
  for (;;) {
    try {
      await callUnary(client, AdminService.getStatus, {}, { deadline: Date.now() + 5000 })
      break
    } catch (error) {
      if (process.child.exitCode !== null || performance.now() - started > 20_000) throw error
      await new Promise((done) => setTimeout(done, 10))
    }
  }
  const firstStatusMs = performance.now() - started
  return {
    process,
    address,
    restAddress,
    eventsAddress,
    client,
    firstStatusMs,
    async stop() {
      client.close()
      await process.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

export function newClient(address: string): Client {
  return new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc.initial_reconnect_backoff_ms': 20,
    'grpc.max_reconnect_backoff_ms': 50,
  })
}

/** Starts `peer chaincode serve` on a chaincode source: an external process that speaks the v0.6 shim protocol. */
export function serveChaincode(source: string, name: string, address: string): MeasuredProcess {
  return startNode([MAIN, 'chaincode', 'serve', resolve(source), '--name', name, '--peer', address], tmpdir())
}

export async function height(client: Client): Promise<bigint> {
  return (await callUnary(client, OpenchainService.getBlockCount, {})).count
}

export async function block(client: Client, number: bigint): Promise<Block> {
  return callUnary(client, OpenchainService.getBlockByNumber, { number })
}
