import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type CallLoad, callLoad, invokeLoad, waitingLoad } from './load.js'
import { type MeasuredProcess, freePort, startNode } from './measured-process.js'
import { type BenchPeer, block, height } from './peer.js'
import type { Row } from './report.js'

/** Runs of peer and baseline alternate, so that a slow moment of the machine meets both. */
const ROUNDS = 3
const WARM_UP_SECONDS = 3

/** The block routes of a peer beside a bare fastify route with the same bytes. */
export async function restReads(peer: BenchPeer, invoke: Uint8Array, workers: number, seconds: number): Promise<Row[]> {
  await waitingLoad(peer.client, peer.process, invoke, 1, 1)
  await invokeLoad(peer.client, peer.process, invoke, workers, 2)
  const blocks = await collect(peer)
  const agent = new Agent({ keepAlive: true, maxSockets: workers })
  const bare = await serveBare(blocks.map(({ json }) => json))
  try {
    await until(bare.url(0), agent)
    const sizes = blocks.map(({ transactions }) => transactions)
    const small = sizes.indexOf(1)
    const large = sizes.indexOf(Math.max(...sizes))
    const one = (index: number) => ({ peer: `http://${peer.restAddress}/chain/blocks/${blocks[index]?.number}`, bare: bare.url(index) })
    const rows: Row[] = []
    for (const index of [small, large]) {
      const { peer: ours, bare: theirs } = one(index)
      const measured = await compare(
        peer.process,
        bare.process,
        () => fetchBytes(ours, agent),
        () => fetchBytes(theirs, agent),
        workers,
        seconds,
      )
      rows.push({ ...measured, name: `REST GET of a block, ${sizes[index]} transactions`, note: `${blocks[index]?.json.length} bytes` })
    }
    let turn = 0
    const next = (): number => turn++ % blocks.length
    const inTurn = await compare(
      peer.process,
      bare.process,
      () => fetchBytes(one(next()).peer, agent),
      () => fetchBytes(one(next()).bare, agent),
      workers,
      seconds,
    )
    rows.push({ ...inTurn, name: 'REST GET of blocks in turn', note: `${blocks.length} blocks` })
    return rows
  } finally {
    agent.destroy()
    await bare.stop()
  }
}

async function compare(
  peer: MeasuredProcess,
  bare: MeasuredProcess,
  ours: () => Promise<unknown>,
  theirs: () => Promise<unknown>,
  workers: number,
  seconds: number,
): Promise<Omit<Row, 'name' | 'note'>> {
  await callLoad(peer, workers, WARM_UP_SECONDS, ours)
  await callLoad(bare, workers, WARM_UP_SECONDS, theirs)
  const runs: { readonly ours: CallLoad; readonly theirs: CallLoad }[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const baseline = await callLoad(bare, workers, seconds / ROUNDS, theirs)
    runs.push({ theirs: baseline, ours: await callLoad(peer, workers, seconds / ROUNDS, ours) })
  }
  const mean = (of: (run: (typeof runs)[number]) => number): number => runs.reduce((sum, run) => sum + of(run), 0) / runs.length
  return {
    perSecond: mean((run) => run.ours.perSecond),
    cpuMicros: mean((run) => run.ours.cpuMicros),
    echoMicros: mean((run) => run.theirs.cpuMicros),
    p50Ms: mean((run) => run.ours.p50Ms),
    p99Ms: mean((run) => run.ours.p99Ms),
    peakMiB: peer.peakMiB(),
  }
}

/** Every block but the first, as REST shows it. */
async function collect({ client, restAddress }: BenchPeer) {
  const count = await height(client)
  const blocks: { readonly number: bigint; readonly transactions: number; readonly json: Buffer }[] = []
  for (let number = 1n; number < count; number += 1n) {
    const { transactions } = await block(client, number)
    blocks.push({ number, transactions: transactions.length, json: await fetchBytes(`http://${restAddress}/chain/blocks/${number}`) })
  }
  return blocks
}

async function serveBare(answers: readonly Buffer[]) {
  const directory = mkdtempSync(join(tmpdir(), 'weft-bench-http-'))
  answers.forEach((bytes, index) => writeFileSync(join(directory, String(index)), bytes))
  const port = await freePort()
  const process = startNode([resolve('.cache/bench/http-server.mjs'), String(port), directory, String(answers.length)], '.')
  return {
    process,
    url: (index: number) => `http://127.0.0.1:${port}/${index}`,
    async stop() {
      await process.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function fetchBytes(url: string, agent?: Agent): Promise<Buffer> {
  return new Promise((done, fail) => {
    get(url, agent === undefined ? {} : { agent }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', fail)
      response.on('end', () => (response.statusCode === 200 ? done(Buffer.concat(chunks)) : fail(new Error(`${url}: status ${response.statusCode}`))))
    }).on('error', fail)
  })
}

async function until(url: string, agent: Agent): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await fetchBytes(url, agent)
      return
    } catch (error) {
      if (attempt === 200) throw error
      await new Promise((done) => setTimeout(done, 50))
    }
  }
}
