import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Metadata } from '@grpc/grpc-js'
import { openLevelStore } from '../plugins/level/index.js'
import { ECHO } from './echo.js'
import { type CallLoad, callLoad } from './load.js'
import { freePort, startNode } from './measured-process.js'
import { newClient } from './peer.js'
import type { Row } from './report.js'

const TXID_BYTES = 40

/** A bare grpc-js unary echo with the message sizes of an invoke, kept running beside everything that is measured. */
export interface Echo {
  /** Calls from `workers` callers for `seconds`, each pausing `pauseMs` after an answer. */
  load(workers: number, seconds: number, pauseMs?: number): Promise<CallLoad>
  stop(): Promise<void>
}

export async function startEcho(request: Buffer): Promise<Echo> {
  const port = await freePort()
  const server = startNode([resolve('.cache/bench/echo-server.mjs'), String(port), String(TXID_BYTES)], process.cwd())
  const client = newClient(`127.0.0.1:${port}`)
  const call = () =>
    new Promise<void>((done, fail) => {
      client.makeUnaryRequest(ECHO.path, ECHO.requestSerialize, ECHO.responseDeserialize, request, new Metadata(), {}, (error) =>
        error ? fail(error) : done(),
      )
    })
  await new Promise<void>((done, fail) => client.waitForReady(Date.now() + 10_000, (error) => (error ? fail(error) : done())))
  return {
    load: (workers, seconds, pauseMs) => callLoad(server, workers, seconds, call, pauseMs),
    async stop() {
      client.close()
      await server.stop()
    },
  }
}

/** The echo at the rates at which the peer is asked. A call costs several times as much where the processor has gone cold between two of them. */
export async function echoBaseline(echo: Echo, workers: number, seconds: number, pauseMs: number): Promise<Row[]> {
  const row = (name: string, { calls, perSecond, cpuMicros, p50Ms, p99Ms, peakMiB }: CallLoad): Row => ({
    name: `baseline: bare gRPC echo, ${name}`,
    perSecond,
    cpuMicros,
    echoMicros: cpuMicros,
    p50Ms,
    p99Ms,
    peakMiB,
    note: `${calls} calls`,
  })
  const busy = await echo.load(workers, seconds)
  const calm = await echo.load(1, Math.min(3, seconds), pauseMs)
  return [row(`${workers} callers`, busy), row(`1 caller, ${pauseMs} ms apart`, calm)]
}

/** The store alone, writing what blocks of 100 such transactions write: 100 journal entries and their removal, the block, a few state rows, indexes. */
export async function storeBaseline(seconds: number): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'weft-bench-store-'))
  const store = await openLevelStore(directory)
  const journal = store.namespace('journal')
  const blocks = store.namespace('blocks')
  const transaction = Buffer.alloc(180, 7)
  const cpuBefore = process.cpuUsage()
  const end = performance.now() + seconds * 1000
  const started = performance.now()
  let written = 0
  for (let number = 0; performance.now() < end; number += 1) {
    const accepted = store.batch()
    for (let index = 0; index < 100; index += 1) accepted.put(journal, key(number * 100 + index), transaction)
    await store.commit(accepted, 'record')
    const block = store.batch()
    for (let index = 0; index < 100; index += 1) {
      block.delete(journal, key(number * 100 + index))
      block.put(blocks, Buffer.concat([Buffer.from([2]), Buffer.alloc(36, index), key(number)]), key(number))
    }
    block.put(blocks, key(number), Buffer.alloc(100 * transaction.length))
    await store.commit(block, 'block')
    written += 100
  }
  const elapsed = (performance.now() - started) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  await store.close()
  rmSync(directory, { recursive: true, force: true })
  return [
    {
      name: 'baseline: the store alone, blocks of 100',
      perSecond: written / elapsed,
      cpuMicros: (cpu.user + cpu.system) / written,
      echoMicros: undefined,
      p50Ms: undefined,
      p99Ms: undefined,
      peakMiB: undefined,
      note: 'same bytes and syncs',
    },
  ]
}

function key(number: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(number))
  return bytes
}
