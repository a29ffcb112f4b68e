import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type ConsensusReport, ConsensusToolsService } from '../../proto/index.js'
import { prepareNetwork, untilMeshed } from './support/network.js'
import { temporaryDirectory, type TestPeer, until } from './support/peer.js'
import { Program } from './support/program.js'

/** Writes what no two processes have in common, unless all are told the same. */
const CHAINCODE = `
import type { Chaincode } from 'weft/chaincode'

export default {
  async init() {},
  async invoke(stub, fn, [key = '']) {
    await stub.putState(key, fn === 'process' ? (process.env['TOLD'] ?? String(process.pid)) : 'the same')
  },
  async query(stub, _fn, [key = '']) {
    return (await stub.getState(key)) ?? ''
  },
} satisfies Chaincode
`

interface Report {
  readonly halted: string
  readonly divergence: string
  readonly valid: boolean
}

/** Four validators in development mode, each with its own process of the chaincode; these are told the same. */
async function network(told: readonly number[]): Promise<readonly TestPeer[]> {
  const peers = await prepareNetwork({
    peers: 4,
    set: { 'chaincode.mode': 'dev', 'peer.validator.consensus.plugin': 'pbft', 'pbft.general.N': '4', 'pbft.general.f': '1' },
  })
  await Promise.all(peers.map((peer) => peer.start()))
  await untilMeshed(peers)
  const directory = temporaryDirectory()
  const file = join(directory, 'process.ts')
  writeFileSync(file, CHAINCODE)
  const chaincodes = peers.map(({ address }, index) => {
    const env: Readonly<Record<string, string>> = told.includes(index) ? { TOLD: 'the same' } : {}
    return new Program(['chaincode', 'serve', file, '--name', 'process', '--peer', address], { cwd: directory, env })
  })
  onTestFinished(() => {
    for (const chaincode of chaincodes) if (chaincode.isRunning) chaincode.signal('SIGKILL')
  })
  for (const chaincode of chaincodes) {
    await chaincode.until('the chaincode is registered', () => `${chaincode.stdout}${chaincode.stderr}`.includes('is registered at'))
  }
  expect((await at(peers, 0).client.deployNamed('process', 'init')).status).toBe('committed')
  return peers
}

function at(peers: readonly TestPeer[], index: number): TestPeer {
  const peer = peers[index]
  if (peer === undefined) throw new Error(`the network has a validator ${index}`)
  return peer
}

async function reportOf(peer: TestPeer): Promise<{ readonly code: number | null; readonly report: Report }> {
  const { code, stdout } = await peer.cli('consensus', 'status', '--json')
  return { code, report: JSON.parse(stdout) }
}

/** By a call, which costs nothing: a command is a process each time. */
const statusOf = (peer: TestPeer): Promise<ConsensusReport> => peer.client.call(ConsensusToolsService.status, {})

async function metricOf(peer: TestPeer, name: string): Promise<number> {
  const base = /listener metrics on (http:\/\/\S+)/.exec(peer.program.stderr)?.[1] ?? ''
  const text = await (await fetch(`${base}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}

/** False while it refuses, as it does for a moment while it takes what the others have committed meanwhile. */
async function commits({ client }: TestPeer): Promise<boolean> {
  try {
    return (await client.invokeAndWait('process', 'plain', 'later')).outcome.status === 'committed'
  } catch (error) {
    expect(String(error)).toContain('this validator orders no transactions: it catches up with the others')
    return false
  }
}

/** Lines of a peer's log that hold a text. */
function lines({ program }: TestPeer, text: string): readonly string[] {
  return program.stderr.split('\n').filter((line) => line.includes(text))
}

test('a validator whose chaincode answers differently is named by the others, takes their chain, and goes on with them', async () => {
  const peers = await network([0, 1, 2])
  const [first, odd] = [at(peers, 0), at(peers, 3)]
  for (let n = 0; n < 12; n++) expect((await first.client.invokeAndWait('process', n === 3 ? 'process' : 'plain', `k${n}`)).outcome.status).toBe('committed')
  await until('it has the chain of the others', async () => {
    const { valid, divergence } = await statusOf(odd)
    return valid && divergence.includes('was the first that differed')
  })
  expect((await reportOf(odd)).report.divergence).toMatch(/^block 5 was the first that differed/)
  expect(lines(odd, 'this validator has diverged')).toEqual([expect.stringMatching(/ours=[0-9a-f]{16} theirs=[0-9a-f]{16}/)])
  expect(lines(first, 'a validator has another block than this one')).toEqual([expect.stringContaining('validator=vp3')])
  expect(await metricOf(odd, 'peer_consensus_diverged_total')).toBe(1)
  expect(await metricOf(first, 'peer_consensus_diverged_total')).toBe(0)
  await until('it accepts and commits', () => commits(odd))
  const heads = (): Promise<string[]> => Promise.all(peers.map(async (peer) => Buffer.from((await statusOf(peer)).headHash).toString('hex')))
  await until('all have one head', async () => new Set(await heads()).size === 1)
  expect(await odd.client.query('process', 'query', 'k3')).toBe('the same')
})

test('validators that all answer differently say who has what in which block, and accept nothing more', async () => {
  const peers = await network([])
  const first = at(peers, 0)
  expect((await first.client.invokeAndWait('process', 'process', 'k')).outcome.status).toBe('committed')
  await until('a transaction is refused', async () => {
    try {
      await first.client.invoke('process', 'plain', 'k')
      return false
    } catch (error) {
      expect(String(error)).toContain('the validators disagree about block')
      return true
    }
  })
  for (const peer of peers) {
    await peer.program.until('the disagreement is told', () => lines(peer, 'CRIT').length > 0)
    await until('the first such block is known', async () => (await statusOf(peer)).halted.includes('about block 2:'))
    const { code, report } = await reportOf(peer)
    expect(code).toBe(1)
    expect(report.valid).toBe(false)
    expect(report.halted).toMatch(/^the validators disagree about block 2: its hash is [0-9a-f]{16} at vp\d; /)
    for (const id of ['vp0', 'vp1', 'vp2', 'vp3']) expect(report.halted).toMatch(new RegExp(`[0-9a-f]{16} at ${id}\\b`))
    await expect(peer.client.query('process', 'query', 'k')).rejects.toThrow('cannot query')
    expect(await metricOf(peer, 'peer_consensus_halted_boolean')).toBe(1)
    expect(await metricOf(peer, 'peer_consensus_diverged_total')).toBe(1)
  }
  for (const peer of peers) expect(lines(peer, 'CRIT')).toHaveLength(1)
})
