import { expect, it } from 'vitest'
import { defaultLimits } from '../../../plugins/consensus/limits.js'
import type { CatalogEngine } from '../../../plugins/consensus/catalog.js'
import { SwapDriver } from '../../../plugins/consensus/swap/driver.js'
import { SwapCandidate } from '../../../proto/index.js'
import { createVirtualClock, VirtualTime } from '../../kit/index.js'
import { silentLogger } from '../../kit/silent-logger.js'
import { GENESIS } from './contract-check.js'

const MEMBERS = [0, 1, 2, 3].map((index) => ({ index, id: `vp${index}` }))
const CANDIDATE = SwapCandidate.fromPartial({
  id: new Uint8Array(32).fill(7),
  preparedIn: 1n,
  proposal: { engine: 'slow', version: '1.0.0', options: '{}', deadlineMs: 3000, deadlineBlocks: 1000 },
})

/** An engine in a process that does not answer. */
function silentEngine(awaited: string | undefined): CatalogEngine {
  return {
    name: 'slow',
    version: '1.0.0',
    agreement: true,
    tolerates: () => ({ crashed: 1, byzantine: 1 }),
    codeDigest: undefined,
    isolated: true,
    origin: 'a test',
    options: {},
    checkOptions: async () => ({}),
    seat: () => () => ({
      isRunning: true,
      isCongested: false,
      awaited,
      begin: () => true,
      post: () => undefined,
      end: () => undefined,
      dispose: async () => undefined,
    }),
  }
}

it.each([
  ["its 'create' has not returned for 2900 ms", "; its 'create' has not returned for 2900 ms"],
  [undefined, ''],
])('a validator that gives up says what its candidate is busy with: %s', async (awaited, said) => {
  const time = new VirtualTime()
  const clock = createVirtualClock(time)
  const reasons: string[] = []
  let begin: () => void
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  const driver = new SwapDriver({
    surroundings: {
      members: MEMBERS,
      self: 0,
      limits: defaultLimits,
      clock,
      log: silentLogger,
      signer: undefined,
      network: '',
      now: () => 0,
      defer: (task) => task(),
      fatal: (reason) => {
        throw reason
      },
    },
    clock,
    log: silentLogger,
    seed: 1n,
    height: () => 2n,
    engineFor: async () => silentEngine(awaited),
    transmit: () => undefined,
    begun: () => begin(),
    ready: () => undefined,
    cancel: (_, reason) => void reasons.push(reason),
    dropped: () => undefined,
    isOver: () => false,
  })
  driver.look(GENESIS, CANDIDATE)
  await begun
  while (time.step());
  const needed = MEMBERS.length - 1
  expect(reasons).toEqual([`it was not decided within 3 s: on trial its engine ordered 0 of the ${needed} transactions that it has to${said}`])
  driver.drop()
})
