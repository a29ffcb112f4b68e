import { expect, test } from 'vitest'
import { makeFaults } from './chaos/faults.js'
import { ChaosNetwork } from './chaos/network.js'
import { Promised } from './chaos/promises.js'
import { Load, randomFrom } from './support/load.js'
import { until } from './support/peer.js'

// A long run: WEFT_CHAOS_SECONDS=3600 npx vitest run --config .ci/vitest.config.ts test/integration/chaos
const SECONDS = Number(process.env['WEFT_CHAOS_SECONDS'] ?? 15)
const SEED = Number(process.env['WEFT_CHAOS_SEED'] ?? Date.now() % 2 ** 31)
const VALIDATORS = 4
const ROUND_MS = 8000
/** After the last fault of a round: until every door commits, and until all are in step. A machine may be slow. */
const MEND_MS = 120_000
/** A validator that forgets its votes is a faulty one, and f = 1: another may forget only when the log of 40 numbers has moved on. */
const BLOCKS_BETWEEN_WIPES = 60n
const CLIENTS_PER_DOOR = 4
/** Clients of a door that does not answer must not take the machine from those that do. */
const RETRY_MS = 200

const log = (text: string): void => void process.stderr.write(`chaos: ${text}\n`)
const isLoud = process.env['WEFT_CHAOS_SECONDS'] !== undefined

test('validators that are killed, stopped, cut off and wiped at random lose and double nothing', { timeout: SECONDS * 4000 + 240_000 }, async () => {
  const network = await ChaosNetwork.start(VALIDATORS, { 'peer.validator.consensus.plugin': 'pbft' })
  const promised = new Promised(VALIDATORS)
  const random = randomFrom(SEED)
  const endMs = performance.now() + SECONDS * 1000
  const told: string[] = []
  const say = (what: string): void => {
    told.push(what)
    if (isLoud) log(what)
  }
  try {
    let wipedAt = -BLOCKS_BETWEEN_WIPES
    for (let round = 1; performance.now() < endMs; round++) {
      told.length = 0
      const loads = network.peers.map(({ client }) => new Load(client, random, CLIENTS_PER_DOOR, RETRY_MS))
      await makeFaults(network, random, Math.min(endMs, performance.now() + ROUND_MS), say)
      const mendedMs = performance.now()
      await settle(network, promised, loads)
      await promised.settle(network, round % VALIDATORS, MEND_MS)
      const tookMs = performance.now() - mendedMs
      const { height } = await network.peer(0).client.info()
      if (isLoud)
        log(
          `round ${round}: ${height} blocks, ${promised.count} transactions, ${promised.unanswered} without an answer; in step ${Math.round(tookMs)} ms after the last fault`,
        )
      if (height - wipedAt < BLOCKS_BETWEEN_WIPES) continue
      wipedAt = height
      const wipedMs = performance.now()
      await wipeOne(network, promised, Math.floor(random() * VALIDATORS), say)
      await promised.settle(network, round % VALIDATORS, MEND_MS)
      if (isLoud) log(`in step ${Math.round(performance.now() - wipedMs)} ms after the disk was lost`)
    }
    await promised.checkWhole(network, [0, 1, 2, 3])
  } catch (cause) {
    const logs = network.keepLogs(`weft-chaos-${SEED}`)
    throw new Error(`seed ${SEED} (WEFT_CHAOS_SEED), logs in ${logs}; faults of this round:\n  ${told.join('\n  ')}`, { cause })
  }
  expect(promised.count).toBeGreaterThan(0)
})

/** No fault any more: every door commits, and every call ends. */
async function settle(network: ChaosNetwork, promised: Promised, loads: readonly Load[]): Promise<void> {
  for (const index of network.peers.keys()) await untilCommits(network, index)
  for (const [door, load] of loads.entries()) promised.add(door, await load.stop())
}

async function untilCommits(network: ChaosNetwork, index: number): Promise<void> {
  const commits = async (): Promise<boolean> => {
    try {
      return (await network.peer(index).client.invokeAndWait('example02', 'invoke', 'a', 'b', '1')).outcome.status === 'committed'
    } catch {
      return false // a connection that a fault of this round has broken, or a slow machine: once more
    }
  }
  await until(`vp${index} commits`, commits, MEND_MS)
}

/** Takes a disk away, and has the validator come back while the others go on. */
async function wipeOne(network: ChaosNetwork, promised: Promised, index: number, say: (what: string) => void): Promise<void> {
  say(`wipe vp${index}`)
  const loads = network.peers.map(({ client }, door) => (door === index ? undefined : new Load(client, Math.random, CLIENTS_PER_DOOR, RETRY_MS)))
  await network.kill(index)
  promised.forget(index)
  network.wipe(index)
  await network.startPeer(index)
  await untilCommits(network, index)
  for (const [door, load] of loads.entries()) if (load) promised.add(door, await load.stop())
}
