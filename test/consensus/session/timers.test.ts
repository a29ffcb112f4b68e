import { describe, expect, it } from 'vitest'
import type { EngineHost } from '../../../plugins/consensus/index.js'
import { createBench, engineOf, run } from '../kit/harness.js'

/** An engine that notes its timers and does what a message says to them. */
async function bench(onMessage: (host: EngineHost, what: string) => void) {
  const fired: string[] = []
  const made = createBench(
    engineOf((host) => ({
      onMessage: (_from, bytes) => onMessage(host, Buffer.from(bytes).toString()),
      onTimer: (name) => void fired.push(name),
    })),
  )
  await made.host.start()
  const tell = (what: string): void => made.transport.message(1, Buffer.from(what))
  return { ...made, fired, tell }
}

describe('timers of an engine', () => {
  it('fire once, after their delay', async () => {
    const { fired, tell, time } = await bench((host) => host.setTimer('t', 100))
    tell('start')
    await run(time, 99)
    expect(fired).toEqual([])
    await run(time, 1)
    expect(fired).toEqual(['t'])
    await run(time, 1000)
    expect(fired).toEqual(['t'])
  })

  it('begin anew when they are set again', async () => {
    const { fired, tell, time } = await bench((host) => host.setTimer('t', 100))
    tell('start')
    await run(time, 60)
    tell('again')
    await run(time, 60)
    expect(fired).toEqual([])
    await run(time, 40)
    expect(fired).toEqual(['t'])
  })

  it('without delay do not fire early when they were set again with one', async () => {
    const { fired, tell, time } = await bench((host, what) => host.setTimer('t', Number(what)))
    tell('0')
    tell('50')
    await run(time, 49)
    expect(fired).toEqual([])
    await run(time, 1)
    expect(fired).toEqual(['t'])
  })

  it('never fire once cancelled, not even when they had run out in the same moment', async () => {
    const { fired, tell, time } = await bench((host, what) => {
      if (what === 'start') {
        host.setTimer('first', 10)
        host.setTimer('zero', 0)
      } else {
        host.cancelTimer('first')
        host.cancelTimer('zero')
      }
    })
    tell('start')
    tell('cancel')
    await run(time, 100)
    expect(fired).toEqual([])
  })

  it('do not fire when a handler that ran before their event reset them', async () => {
    const fired: [string, number][] = []
    const { host, time } = createBench(
      engineOf((engineHost) => {
        engineHost.setTimer('a', 10)
        engineHost.setTimer('b', 10)
        return {
          onTimer(name) {
            fired.push([name, time.nowMs])
            if (name === 'a') engineHost.setTimer('b', 5)
          },
        }
      }),
    )
    await host.start()
    await run(time, 100)
    expect(fired).toEqual([
      ['a', 10],
      ['b', 15],
    ])
  })

  it('without delay fire after the messages that arrived together', async () => {
    const order: string[] = []
    const { host, transport, time } = createBench(
      engineOf((engineHost) => ({
        onMessage(_from, bytes) {
          order.push(Buffer.from(bytes).toString())
          engineHost.setTimer('flush', 0)
        },
        onTimer: (name) => void order.push(name),
      })),
    )
    await host.start()
    for (const name of ['1', '2', '3']) transport.message(1, Buffer.from(name))
    await run(time, 0)
    expect(order).toEqual(['1', '2', '3', 'flush'])
  })

  it('refuse delays that are no time', async () => {
    const { host, tell, time } = await bench((engineHost) => engineHost.setTimer('t', Number.NaN))
    tell('start')
    await run(time, 1)
    expect(host.status().halted).toMatch(/0 or more milliseconds/)
  })
})
