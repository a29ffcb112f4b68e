import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { signable, writeSignable } from '../../plugins/consensus/commands/operator-keys.js'
import { type SuccessionReport } from '../../proto/index.js'
import { Promised } from './chaos/promises.js'
import { Load, randomFrom } from './support/load.js'
import { until } from './support/peer.js'
import { buildEngines, LIMIT_MS, SwapNetwork } from './swap/network.js'

// More rounds of deaths: WEFT_SWAP_ROUNDS=50 npx vitest run --config .ci/vitest.config.ts test/integration/swap
const ROUNDS = Number(process.env['WEFT_SWAP_ROUNDS'] ?? 1)
const CLIENTS_PER_DOOR = 1
const RETRY_MS = 200
/** Load at every moment, and time for the swaps that it is there for. */
const PAUSE_MS = 50
/** Moments of a swap are as short as that. */
const MOMENT_MS = 20
const ALL = [0, 1, 2, 3]

interface Death {
  readonly when: string
  /** Whether the moment has come, as seen at the victim. */
  readonly isNow: (victim: SuccessionReport, epoch: bigint) => boolean
}

/** The moments of a swap. One that is over sooner than it is seen is met at the next. */
const DEATHS: readonly Death[] = [
  { when: 'prepared', isNow: () => true },
  { when: 'on trial', isNow: ({ phase, record }, epoch) => phase !== '' || record?.epoch !== epoch },
  { when: 'ready', isNow: ({ phase, record }, epoch) => phase === 'ready' || record?.epoch !== epoch },
  { when: 'after the activation block', isNow: ({ record }, epoch) => record?.epoch !== epoch },
  { when: 'when another has crossed', isNow: ({ record, crossed }, epoch) => record?.epoch !== epoch && crossed.length > 1 },
]

test('engines are swapped under load, and whoever dies, lags or lacks the code ends where it belongs', { timeout: 600_000 * ROUNDS }, async () => {
  const engines = await buildEngines(['raft', 'hotstuff', 'sequencer'])
  const packages = (...names: string[]): string => names.map((name) => engines.get(name)).join(',')
  const network = await SwapNetwork.start(
    {
      'peer.validator.consensus.plugin': 'pbft',
      'consensus.trusted': 'raft,hotstuff,sequencer',
      'consensus.engines': packages('raft', 'hotstuff', 'sequencer'),
      'logging.node': 'info',
      'pbft.general.timeout.request': '1s',
    },
    // Two have no sequencer: a swap to it is refused, and one that is ordered all the same stays undecided.
    (index): Readonly<Record<string, string>> => (index < 2 ? {} : { 'consensus.engines': packages('raft', 'hotstuff') }),
  )
  const promised = new Promised(ALL.length)
  let loads: (Load | undefined)[] = []
  const load = (doors: readonly number[]): void => {
    loads = ALL.map((door) => (doors.includes(door) ? new Load(network.peer(door).client, randomFrom(door), CLIENTS_PER_DOOR, RETRY_MS, PAUSE_MS) : undefined))
  }
  const settle = async (): Promise<void> => {
    for (const door of ALL) await network.commits(door)
    for (const [door, each] of loads.entries()) if (each) promised.add(door, await each.stop())
    await promised.settle(network, 0, LIMIT_MS)
  }

  // The code of all engines is loaded once: on a busy machine that takes longer than an operator waits.
  for (const index of [0, 2]) await network.plan(index, { engine: index === 0 ? 'sequencer' : 'hotstuff' })
  load(ALL)
  await thereAndBack(network)
  await settle()
  await refusals(network)

  for (let round = 0; round < ROUNDS; round++) {
    load(ALL)
    for (const [turn, death] of DEATHS.entries()) await dies(network, (turn + round) % ALL.length, death, ['raft', 'hotstuff', 'pbft'][turn % 3] ?? '')
    await settle()
  }

  load([0, 1, 2])
  await comesBackLater(network)
  await settle()
  await promised.checkWhole(network, ALL)
  expect(promised.count).toBeGreaterThan(0)
})

/** By the commands of an operator. */
async function thereAndBack(network: SwapNetwork): Promise<void> {
  const swapped = await network.peer(1).cli('consensus', 'swap', 'raft', '--allow-weaker', '--json')
  expect(swapped.code, swapped.stderr).toBe(0)
  expect(JSON.parse(swapped.stdout)).toMatchObject({ engine: 'raft', members: ['vp0', 'vp1', 'vp2', 'vp3'] })
  await network.crossed(1n)
  await network.swap(2, { engine: 'hotstuff' })
  const set = await network.peer(3).cli('consensus', 'set', 'batchMs=5', '--json')
  expect(set.code, set.stderr).toBe(0)
  expect(JSON.parse(set.stdout)).toMatchObject({ engine: 'hotstuff', options: { batchMs: 5 } })
  await network.crossed(3n)
  await network.swap(0, { engine: 'pbft' })
  const history = await network.peer(2).cli('consensus', 'history')
  // Options that do not fit stand on lines of their own.
  const epochs = history.stdout.replaceAll(/\n +/g, ' ')
  expect(epochs).toMatch(/^epoch 0: pbft .*\nepoch 1: raft .*\nepoch 2: hotstuff .*\nepoch 3: hotstuff .*"batchMs":5.*\nepoch 4: pbft .*\n$/)
}

/** What is not decided changes nothing. */
async function refusals(network: SwapNetwork): Promise<void> {
  const refused = await network.peer(0).cli('consensus', 'swap', 'sequencer', '--allow-weaker')
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringMatching(/vp2: this peer has no engine 'sequencer'.*vp3: this peer has no engine 'sequencer'/),
  ])
  expect(refused.stderr).toMatch(
    /every validator that is up has to have it: install sequencer@\S+ on vp2, vp3, or stop them and pass --absent vp2 --absent vp3\n$/,
  )
  expect(refused.stderr.match(/vp2: this peer has no engine/g)).toHaveLength(1)
  const { epoch } = (await network.succession(0)).record ?? {}

  // Proposed all the same: those who lack it say so, and nobody has to wait for the deadline.
  const { proposal } = await network.plan(0, { engine: 'sequencer' })
  const file = join(mkdtempSync(join(tmpdir(), 'weft-swap-plan-')), 'plan.json')
  writeSignable(file, signable('prepare', proposal))
  const given = await network.peer(0).cli('consensus', 'swap', '--plan', file)
  expect([given.code, given.stderr]).toEqual([
    1,
    expect.stringMatching(/vp[23] gives up: this peer has no engine 'sequencer'[^]*\nError: the swap was cancelled; pbft \S+ went on all the while\n$/),
  ])
  await until('it is called off', async () => (await Promise.all(ALL.map((index) => network.succession(index)))).every((report) => !report.candidate), LIMIT_MS)
  const cancelled = await network.peer(2).cli('consensus', 'cancel')
  expect([cancelled.code, cancelled.stderr]).toEqual([1, expect.stringContaining('no swap is under way')])
  for (const index of ALL) expect((await network.succession(index)).record?.epoch).toBe(epoch)
  await network.commits(3)
}

/** A validator is killed at a moment of a swap; the others end it, and so does the victim by itself. */
async function dies(network: SwapNetwork, victim: number, { when, isNow }: Death, engine: string): Promise<void> {
  const others = ALL.filter((index) => index !== victim)
  const [at = 0] = others
  const plan = await network.plan(at, { engine })
  expect(plan.objection, when).toBe('')
  const from = (await network.succession(at)).record?.epoch ?? 0n
  const proposing = network.propose(at, plan)
  if (when === 'prepared') await proposing
  await until(`vp${victim} is ${when}`, async () => isNow(await network.succession(victim), from), LIMIT_MS, MOMENT_MS)
  await network.peer(victim).killHard()
  await proposing
  await network.crossed(from + 1n, others)
  for (const index of others) await network.commits(index)
  await network.startPeer(victim)
  await network.crossed(from + 1n)
  await network.commits(victim)
}

/** One is away for three swaps and comes back with its old disk; then one loses its disk. */
async function comesBackLater(network: SwapNetwork): Promise<void> {
  const others = [0, 1, 2]
  await network.peer(3).killHard()
  const silent = await network.peer(0).cli('consensus', 'swap', 'raft', '--allow-weaker')
  expect([silent.code, silent.stderr]).toEqual([1, expect.stringContaining('no answer from vp3')])
  const { record } = await network.succession(0)
  const absent = await network.peer(0).cli('consensus', 'swap', record?.engine === 'raft' ? 'pbft' : 'raft', '--allow-weaker', '--absent', 'vp3', '--no-wait')
  expect(absent.code, absent.stderr).toBe(0)
  const from = record?.epoch ?? 0n
  await network.crossed(from + 1n, others)
  await network.swap(1, { engine: 'hotstuff' }, others)
  await network.swap(2, { engine: 'pbft' }, others)
  await network.startPeer(3)
  await network.crossed(from + 3n)
  await network.commits(3)
  await network.peer(1).killHard()
  network.wipe(1)
  await network.swap(0, { engine: 'raft' }, [0, 2, 3])
  await network.startPeer(1)
  await network.crossed(from + 4n)
}
