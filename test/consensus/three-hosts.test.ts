import { describe, expect, it } from 'vitest'
import type { ConsensusTransport } from '../../plugins/consensus/index.js'
import { VirtualTime } from '../kit/virtual-clock.js'
import { transactionOf } from './kit/fake-ledger.js'
import { follow } from './kit/follow.js'
import { createBench, run } from './kit/harness.js'

describe('an engine whose first member leads, over three hosts', () => {
  it('orders what any member accepts, in the same blocks everywhere', async () => {
    const time = new VirtualTime()
    const receivers: Parameters<ConsensusTransport['receive']>[0][] = []
    const benches = [0, 1, 2].map((self) => {
      const transport: ConsensusTransport = {
        send: (to, bytes) => void time.schedule(5, () => receivers[to]?.message(self, bytes)),
        receive: (handlers) => {
          receivers[self] = handlers
        },
      }
      return createBench(follow, { size: 3, self, time, transport })
    })
    for (const { host } of benches) await host.start()
    const submitting = ['a', 'b', 'c', 'd'].map((name, index) => benches[index % 3]?.host.submit(transactionOf(name)))
    await run(time, 500)
    const outcomes = await Promise.all(submitting.map(async (accepted) => (await accepted)?.outcome()))
    expect(outcomes.map((report) => report?.status)).toEqual(['committed', 'committed', 'committed', 'committed'])
    const chains = benches.map(({ ledger }) => Buffer.from(ledger.info().currentBlockHash).toString('hex'))
    expect(new Set(chains).size).toBe(1)
    expect(benches[2]?.ledger.payloads().flat().sort()).toEqual(['a', 'b', 'c', 'd'])
  })
})
