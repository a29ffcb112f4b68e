import { describe, expect, it } from 'vitest'
import { pbft } from '../../plugins/pbft/index.js'
import { stepThrough, type Steps } from '../kit/index.js'
import { raftSkeleton } from './skeletons/raft.js'

const raft = (): Promise<Steps> => stepThrough({ factory: raftSkeleton }, { members: 3 })

/** Waits until a leader is there and all messages have arrived. */
async function elect(net: Steps): Promise<void> {
  for (let waited = 0; waited < 100 && net.pending().length === 0; waited += 1) await net.wait(10)
  await net.receiveAll()
}

describe('a network that is led step by step', () => {
  it('says in words what messages and records mean, where it is told', async () => {
    const net = await stepThrough({ factory: raftSkeleton }, { members: 3, decode: () => ({ means: 'something' }) })
    for (let waited = 0; waited < 100 && net.pending().length === 0; waited += 1) await net.wait(10)
    const texts = (await net.receiveAll()).map(({ text }) => text).join('\n')
    expect(texts).toMatch(/^vp\d < message from vp\d \{"means":"something"\}$/m)
    expect(texts).toMatch(/^ {4}(send to=\d|broadcast|put key=\S+) bytes=\{"means":"something"\}/m)
  })

  it('does nothing by itself: messages wait, in order, until they are told to arrive', async () => {
    const net = await raft()
    expect(net.started.filter(({ event }) => event.type === 'create')).toHaveLength(3)
    for (let waited = 0; waited < 100 && net.pending().length === 0; waited += 1) await net.wait(10)
    const votes = net.pending()
    const [{ from: candidate } = { from: -1 }] = votes
    expect(votes.filter(({ from }) => from === candidate).map(({ to }) => to)).toEqual([0, 1, 2].filter((member) => member !== candidate))
    const before = JSON.stringify(votes.map(({ id }) => id))
    await net.wait(0)
    expect(JSON.stringify(net.pending().map(({ id }) => id))).toBe(before)
    const [first] = votes
    const lines = await net.receive()
    expect(lines[0]).toMatchObject({ member: first?.to, event: { type: 'message', from: first?.from } })
    expect(lines[0]?.effects.some((effect) => effect.startsWith('send to='))).toBe(true)
    expect(lines[0]?.text).toMatch(/^vp\d < message from vp\d \d+ bytes [0-9a-f]{12}\n {4}/)
  })

  it('commits a request when its messages have arrived, and not before', async () => {
    const net = await raft()
    await elect(net)
    await net.submit(0, 'one')
    expect(net.simulation.peers.map(({ ledger }) => ledger?.height())).toEqual([1n, 1n, 1n])
    await net.receiveAll()
    for (let waited = 0; waited < 50; waited += 1) {
      await net.wait(10)
      await net.receiveAll()
    }
    expect(net.simulation.peers.map(({ ledger }) => ledger?.height())).toEqual([2n, 2n, 2n])
    await net.simulation.checkAll()
  })

  it('keeps the order of a link, and loses what was on its way to who is down', async () => {
    const net = await stepThrough({ factory: pbft }, { members: 4, seed: 2 })
    await net.receiveAll()
    await net.submit(1, 'one')
    await net.submit(1, 'two')
    const toZero = net.pending().filter(({ from, to }) => from === 1 && to === 0)
    expect(toZero.length).toBeGreaterThan(1)
    await expect(net.receive(toZero[1]?.id)).rejects.toThrow(`messages of vp1 reach vp0 in order: expected ${toZero[0]?.id} first, found ${toZero[1]?.id}`)
    await net.crash(0)
    expect(net.pending().filter(({ to }) => to === 0)).toEqual([])
    await expect(net.receive(toZero[0]?.id)).rejects.toThrow('expected a message that is on its way')
    await expect(net.submit(0, 'three')).rejects.toThrow('found vp0, which is down')
    const back = await net.start(0)
    expect(back.find(({ event }) => event.type === 'create')?.member).toBe(0)
    await net.receiveAll()
  })

  it('is the same for the same steps', async () => {
    const play = async (): Promise<string[]> => {
      const net = await raft()
      await elect(net)
      return [...(await net.submit(2, 'one')), ...(await net.receiveAll()), ...(await net.wait(300))].map(({ text }) => text)
    }
    const first = await play()
    expect(first.length).toBeGreaterThan(5)
    expect(await play()).toEqual(first)
  })
})
