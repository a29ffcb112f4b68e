import { expect, onTestFinished, test, vi } from 'vitest'
import { Devnet, type DevnetPeer } from '../../plugins/devnet/devnet.js'
import type { DevnetPlan, PeerPlan } from '../../plugins/devnet/plan.js'
import type { PeerView } from '../../plugins/devnet/view.js'
import { ConsensusReport } from '../../proto/index.js'

const PLAN: DevnetPlan = { validators: 2, engine: 'pbft', tls: false, port: 7050, set: {} }
const LIMIT_MS = 60_000
const STARTING = 'this peer is starting'
const LACKS = "this validator follows the others: this peer has no engine 'raft'"

/** A devnet of two whose peers look as they are told to, a second after another. */
class SeenDevnet extends Devnet {
  looks = 0

  constructor(private readonly views: (look: number) => readonly PeerView[]) {
    super('/nowhere', PLAN, ['vp0', 'vp1'].map(planOf))
    let nowMs = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (nowMs += 1000))
    onTestFinished(() => clock.mockRestore())
  }

  override async look(): Promise<readonly DevnetPeer[]> {
    this.looks += 1
    return this.peers.flatMap((peer, index) => {
      const view = this.views(this.looks)[index]
      return view === undefined ? [] : [{ peer, view }]
    })
  }
}

function planOf(id: string): PeerPlan {
  return { id, directory: '', config: '', data: '', log: '', address: '', restAddress: '', eventsAddress: '', metricsAddress: '', profileAddress: '' }
}

function running(halted = '', valid = true): PeerView {
  return {
    state: 'running',
    pid: 1,
    report: ConsensusReport.fromPartial({ engine: halted === STARTING ? '' : 'pbft', halted, valid, height: 1n }),
    engineView: {},
  }
}

test('a validator that only lacks the engine is told of at once, and not waited for', async () => {
  const devnet = new SeenDevnet(() => [running(), running(LACKS)])
  await expect(devnet.ready([], LIMIT_MS)).rejects.toMatchObject({
    code: 'ERR_DEVNET_NOT_READY',
    message: `the devnet runs, but not all of it can order transactions: vp1: ${LACKS}`,
    hint: expect.stringContaining('peer consensus status'),
  })
  expect(devnet.looks).toBeLessThan(10)
})

test('an engine that is halted for a moment is waited for, and so is one while others catch up', async () => {
  const recovers = new SeenDevnet((look) => [running(), running(look < 3 ? LACKS : '')])
  expect(await recovers.ready([], LIMIT_MS)).toHaveLength(2)
  const starts = new SeenDevnet((look) => [running(), running(look < 20 ? STARTING : '')])
  expect(await starts.ready([], LIMIT_MS)).toHaveLength(2)
  const catchesUp = new SeenDevnet((look) => [running('', look > 20), running(look > 20 ? '' : LACKS)])
  expect(await catchesUp.ready([], LIMIT_MS)).toHaveLength(2)
})
