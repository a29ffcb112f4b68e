import { describe, expect, it } from 'vitest'
import { createBench, engineOf, run } from '../kit/harness.js'
import { MemoryStore } from '../kit/memory-store.js'

const collecting = (seen: string[]) =>
  engineOf(() => ({
    onMessage: (from, bytes) => void seen.push(`${from}:${Buffer.from(bytes).toString()}`),
    onPeer: (member, up) => void seen.push(`${member} ${up ? 'up' : 'down'}`),
  }))

describe('messages of other members', () => {
  it('keep their order per member, connections included', async () => {
    const seen: string[] = []
    const { host, transport, time } = createBench(collecting(seen))
    await host.start()
    transport.peer(1, true)
    for (const text of ['a', 'b']) transport.message(1, Buffer.from(text))
    transport.peer(1, false)
    transport.message(2, Buffer.from('c'))
    await run(time, 1)
    expect(seen.filter((line) => line.startsWith('1'))).toEqual(['1 up', '1:a', '1:b', '1 down'])
    expect(seen).toContain('2:c')
  })

  it('beyond the bound of their member are dropped, counted and logged once a second; others are not touched', async () => {
    const seen: string[] = []
    const { host, transport, time, log } = createBench(collecting(seen), { limits: { maxInboundPerMember: 10 } })
    await host.start()
    for (let number = 0; number < 500; number++) transport.message(1, Buffer.from(String(number)))
    transport.message(2, Buffer.from('calm'))
    await run(time, 1)
    expect(seen).toHaveLength(11)
    expect(seen).toContain('2:calm')
    expect(log.lines.filter((line) => line.includes('dropped'))).toHaveLength(1)
    await run(time, 1000)
    for (let number = 0; number < 12; number++) transport.message(1, Buffer.from(String(number)))
    expect(log.lines.filter((line) => line.includes('dropped')).at(-1)).toContain('dropped=490')
  })

  it('keep nothing of the frame that they came in', async () => {
    const kept: number[] = []
    const { host, transport, time } = createBench(engineOf(() => ({ onMessage: (_from, bytes) => void kept.push(bytes.buffer.byteLength) })))
    await host.start()
    transport.message(1, new Uint8Array(512 * 1024).subarray(7, 107))
    await run(time, 1)
    expect(kept).toEqual([8192])
  })

  it('have a bound in bytes too, which lets one message of any size wait', async () => {
    const seen: string[] = []
    const { host, transport, time } = createBench(collecting(seen), { limits: { maxInboundBytesPerMember: 10 } })
    await host.start()
    const send = (...texts: string[]): void => texts.forEach((text) => transport.message(1, Buffer.from(text)))
    send('a message of more', 'x')
    await run(time, 1)
    send('12345', '67890', 'x')
    await run(time, 1)
    expect(seen).toEqual(['1:a message of more', '1:12345', '1:67890'])
    expect(host.metrics.get('host_messages_dropped_total')).toBe(2)
  })

  it('that are lost are told as a broken link, in their place; what comes after it counts again', async () => {
    const seen: string[] = []
    const { host, transport, time } = createBench(collecting(seen), { limits: { maxInboundPerMember: 4 } })
    await host.start()
    transport.peer(1, true)
    await run(time, 1)
    for (const text of ['a', 'b', 'c', 'd', 'lost', 'lost too']) transport.message(1, Buffer.from(text))
    await run(time, 1)
    for (const text of ['e', 'f']) transport.message(1, Buffer.from(text))
    await run(time, 1)
    expect(seen).toEqual(['1 up', '1:a', '1:b', '1:c', '1:d', '1 down', '1 up', '1:e', '1:f'])
    // A link that breaks meanwhile comes back when it comes back.
    seen.length = 0
    for (const text of ['a', 'b', 'c', 'd', 'lost']) transport.message(1, Buffer.from(text))
    for (const isUp of [false, true, false]) transport.peer(1, isUp)
    await run(time, 1)
    transport.peer(1, true)
    await run(time, 1)
    expect(seen).toEqual(['1:a', '1:b', '1:c', '1:d', '1 down', '1 up'])
  })

  it('that come while the engine is begun anew, and those that it had not seen, are told to the next instance', async () => {
    const seen: string[] = []
    let born = 0
    const { host, transport, time } = createBench(
      engineOf(() => {
        const number = ++born
        return { onMessage: (from, bytes) => void seen.push(`${number} ${from}:${Buffer.from(bytes).toString()}`) }
      }),
    )
    await host.start()
    transport.peer(1, true)
    transport.message(1, Buffer.from('seen'))
    await run(time, 1)
    transport.message(1, Buffer.from('unseen'))
    const restarting = host.restartEngine()
    transport.message(1, Buffer.from('meanwhile'))
    await restarting
    transport.message(1, Buffer.from('after'))
    await run(time, 1)
    expect(seen).toEqual(['1 1:seen', '2 1:unseen', '2 1:meanwhile', '2 1:after'])
  })

  it('from no other member are ignored', async () => {
    const seen: string[] = []
    const { host, transport, time } = createBench(collecting(seen))
    await host.start()
    for (const from of [0, 4, -1, 1.5, Number.NaN]) transport.message(from, Buffer.from('x'))
    await run(time, 1)
    expect(seen).toEqual([])
  })

  it('fold the flapping of a connection, so that it cannot fill memory', async () => {
    const seen: string[] = []
    const { host, transport, time } = createBench(collecting(seen))
    await host.start()
    transport.peer(1, true)
    for (let flap = 0; flap < 1000; flap++) {
      transport.peer(1, false)
      transport.peer(1, true)
    }
    await run(time, 1)
    expect(seen.length).toBeLessThan(5)
    expect(seen.at(-1)).toBe('1 up')
  })

  it('wait while too many sends wait for the disk, and go on afterwards', async () => {
    const done: (() => void)[] = []
    const store = new MemoryStore((_, durable) => done.push(durable))
    let handled = 0
    const { host, transport, time, sent } = createBench(
      engineOf((engineHost) => ({
        onMessage() {
          handled++
          if (handled === 1) engineHost.put('vote', Buffer.from('1'))
          engineHost.send(1, Buffer.from('answer'))
        },
      })),
      { store, limits: { maxWaitingSends: 20 } },
    )
    await host.start()
    for (let number = 0; number < 100; number++) transport.message(1, Buffer.from('m'))
    await run(time, 5)
    expect(handled).toBe(21)
    done[0]?.()
    await run(time, 5)
    expect([handled, sent.length]).toEqual([100, 100])
  })
})
