import { describe, expect, it } from 'vitest'
import { createMemoryDisk, createRandom, createVirtualClock, Links, VirtualTime } from '../kit/index.js'

function runAll(time: VirtualTime): void {
  while (time.step());
}

describe('virtual time', () => {
  it('runs tasks in the order of their moments, and of their scheduling within one moment', () => {
    const time = new VirtualTime()
    const random = createRandom(1)
    const planned = Array.from({ length: 500 }, (_, order) => ({ atMs: random.below(40), order }))
    const ran: typeof planned = []
    for (const task of planned) time.schedule(task.atMs, () => ran.push(task))
    runAll(time)
    expect(ran).toEqual([...planned].sort((a, b) => a.atMs - b.atMs || a.order - b.order))
  })

  it('never runs a task that was taken back', () => {
    const time = new VirtualTime()
    const cancel = time.schedule(1, () => expect.unreachable('it was taken back'))
    cancel()
    expect(time.nextMs()).toBeUndefined()
    runAll(time)
  })

  it('lets the timers of a peer die with it', () => {
    const time = new VirtualTime()
    let isAlive = true
    createVirtualClock(time, () => isAlive).setTimer(5, () => expect.unreachable('its peer is dead'))
    isAlive = false
    runAll(time)
  })
})

describe('random numbers', () => {
  it('are the same for the same seed, and independent in forks', () => {
    const draw = (seed: number): number[] => Array.from({ length: 20 }, createRandom(seed).next)
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
    const [left, right] = [createRandom(3), createRandom(3)]
    right.next()
    expect(left.fork('disk').next()).toBe(right.fork('disk').next())
    expect(left.fork('disk').next()).not.toBe(left.fork('links').next())
  })
})

describe('links', () => {
  const connect = (seed: number): { time: VirtualTime; links: Links; readonly send: (text: string) => void; received: string[] } => {
    const time = new VirtualTime()
    const links = new Links(2, time, createRandom(seed), { minDelayMs: 1, maxDelayMs: 50 })
    const received: string[] = []
    const [from, to] = [links.connect(0), links.connect(1)]
    to.transport.receive({
      message: (_, bytes) => received.push(Buffer.from(bytes).toString()),
      peer: (member, up) => received.push(`${member} ${up ? 'up' : 'down'}`),
    })
    from.attach()
    to.attach()
    return { time, links, received, send: (text) => from.transport.send(1, Buffer.from(text)) }
  }

  it('keep the order of a sender, after telling that it is up', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const { time, received, send } = connect(seed)
      const sent = Array.from({ length: 30 }, (_, number) => String(number))
      for (const text of sent) send(text)
      runAll(time)
      expect(received).toEqual(['0 up', ...sent])
    }
  })

  it('keep the order of a sender that sends now and then, although moments are rounded', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const { time, received, send } = connect(seed)
      const random = createRandom(seed).fork('moments')
      const sent: string[] = []
      for (let number = 0; number < 30; number += 1) {
        time.schedule(random.between(0, 240) / 7, () => {
          sent.push(String(number))
          send(String(number))
        })
      }
      runAll(time)
      expect(received.slice(1)).toEqual(sent)
    }
  })

  it('lose what is in flight when they break, and say so', () => {
    const { time, links, received, send } = connect(1)
    runAll(time)
    send('lost')
    links.partition([[0], [1]])
    send('also lost')
    links.heal()
    send('arrives')
    runAll(time)
    expect(received).toEqual(['0 up', '0 down', '0 up', 'arrives'])
  })
})

describe('the memory disk', () => {
  it('keeps after a power cut a prefix of the writes that nobody was told of, each whole, and everything older', async () => {
    const survivors = new Set<string>()
    for (let seed = 1; seed <= 60; seed += 1) {
      const time = new VirtualTime()
      const disk = createMemoryDisk(time, createRandom(seed), { minWriteMs: 1, maxWriteMs: 2 })
      const store = await disk.open()
      const rows = store.namespace('rows')
      const put = (name: string): Promise<void> => {
        const batch = store.batch()
        batch.put(rows, Buffer.from(`${name} 1`), Buffer.from('x'))
        batch.put(rows, Buffer.from(`${name} 2`), Buffer.from('x'))
        return store.commit(batch, 'block')
      }
      const first = put('a')
      runAll(time)
      await first
      const answered: string[] = []
      for (const name of ['b', 'c']) {
        put(name).then(
          () => answered.push(name),
          () => answered.push(name),
        )
      }
      disk.crash('power')
      runAll(time)
      const found: string[] = []
      for await (const [key] of (await disk.open()).namespace('rows').entries()) found.push(Buffer.from(key).toString())
      survivors.add(found.join(','))
      expect(answered).toEqual([])
    }
    expect([...survivors].sort()).toEqual(['a 1,a 2', 'a 1,a 2,b 1,b 2', 'a 1,a 2,b 1,b 2,c 1,c 2'])
  })
})
