import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../kit/random.js'
import { VirtualTime } from '../../kit/virtual-clock.js'
import { deliveredBlock } from '../../../plugins/consensus/execution/execution.js'
import { createEngineRecords } from '../../../plugins/consensus/engine/records.js'
import { BlockchainInfo } from '../../../proto/index.js'
import { createBench, engineOf, run, settle } from '../kit/harness.js'
import { type Disk, MemoryStore } from '../kit/memory-store.js'

const BLOCK = { number: 0n, bytes: new Uint8Array(0), info: BlockchainInfo.fromPartial({}), executed: [] }

/** A disk whose writes take random times, and still end in order. */
function slowDisk(time: VirtualTime, seed: number): Disk {
  const random = createRandom(seed)
  let freeAtMs = 0
  return (_, done) => {
    freeAtMs = Math.max(freeAtMs, time.nowMs) + random.below(20)
    time.schedule(freeAtMs - time.nowMs, done)
  }
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

describe('effects of an engine', () => {
  it('may name more requests than a call takes arguments: the peer lives on', async () => {
    const ids = Array.from({ length: 300_000 }, (_, number) => String(number))
    const { host, fatal } = createBench(
      engineOf((engineHost) => {
        engineHost.forget(ids)
        return {}
      }),
    )
    await host.start()
    await settle()
    expect(fatal).toEqual([])
    expect(deliveredBlock(BLOCK, undefined, [], ids).rejected).toHaveLength(300_000)
  })

  it('are carried out after its handler returned, sends after their write and never out of order', async () => {
    const step = fc.record({ puts: fc.nat(2), sends: fc.nat(3), pauseMs: fc.nat(15) })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), fc.nat(), async (steps, seed) => {
        const time = new VirtualTime()
        const store = new MemoryStore(slowDisk(time, seed))
        const broken: string[] = []
        const sent: string[] = []
        const expected: string[] = []
        const engine = engineOf((host) => ({
          onMessage(_from, bytes) {
            const number = Number(text(bytes))
            for (let send = 0; send < (steps[number]?.sends ?? 0); send++) {
              const name = `${number}.${send}`
              expected.push(name)
              host.send(1, Buffer.from(name))
            }
            for (let put = 0; put < (steps[number]?.puts ?? 0); put++) host.put(`record ${number} ${put}`, Buffer.from('v'))
            if (sent.includes(`${number}.0`)) broken.push('a send left before its handler returned')
          },
        }))
        const { host, transport } = createBench(engine, {
          store,
          time,
          observer: {
            sent: ({ bytes }) => {
              const name = text(bytes)
              sent.push(name)
              const durable =
                (store.rows.get('consensus')?.size ?? 0) >= steps.slice(0, Number.parseInt(name, 10) + 1).reduce((puts, { puts: more }) => puts + more, 0)
              if (!durable) broken.push(`${name} left before everything stored by then was durable`)
            },
          },
        })
        await host.start()
        for (const [number, { pauseMs }] of steps.entries()) {
          transport.message(1, Buffer.from(String(number)))
          await run(time, pauseMs)
        }
        await run(time, 2000)
        expect(broken).toEqual([])
        expect(sent).toEqual(expected)
      }),
      { numRuns: 40 },
    )
  })

  it('that are stored by one handler are one write', async () => {
    const { host, store } = createBench(
      engineOf((engineHost) => {
        engineHost.put('a', Buffer.from('1'))
        engineHost.put('b', Buffer.from('2'))
        engineHost.delete('a')
        return {}
      }),
    )
    await host.start()
    await settle()
    expect(store.written.map(({ kind, operations }) => [kind, operations.length])).toEqual([['record', 3]])
  })

  it('let later handlers go on while a write waits for the disk', async () => {
    const done: (() => void)[] = []
    const store = new MemoryStore((_, durable) => done.push(durable))
    const handled: string[] = []
    const { host, transport, sent, time } = createBench(
      engineOf((engineHost) => ({
        onMessage(_from, bytes) {
          handled.push(text(bytes))
          if (handled.length === 1) engineHost.put('vote', bytes)
          engineHost.send(1, bytes)
        },
      })),
      { store },
    )
    await host.start()
    for (const name of ['first', 'second']) transport.message(1, Buffer.from(name))
    await run(time, 1)
    expect(handled).toEqual(['first', 'second'])
    expect(sent).toEqual([])
    done[0]?.()
    await settle()
    expect(sent.map(({ bytes }) => text(bytes))).toEqual(['first', 'second'])
  })

  it('come back in `restored`, per epoch', async () => {
    const store = new MemoryStore()
    const first = createBench(
      engineOf((host) => {
        host.put('kept', Buffer.from('value'))
        host.put('gone', Buffer.from('value'))
        host.delete('gone')
        return {}
      }),
      { store },
    )
    await first.host.start()
    await settle()
    let restored: Record<string, string> = {}
    const after = store.crash()
    const second = createBench(
      engineOf((_host, start) => {
        restored = Object.fromEntries([...start.restored].map(([key, value]) => [key, text(value)]))
        return {}
      }),
      { store: after },
    )
    await second.host.start()
    expect(restored).toEqual({ kept: 'value' })
    expect(await createEngineRecords(after, 1n).load()).toEqual(new Map())
  })

  it('stop the peer when they cannot be stored, and what waited for them never leaves', async () => {
    const store = new MemoryStore()
    store.failFrom = 0
    const { host, fatal, sent } = createBench(
      engineOf((engineHost) => {
        engineHost.put('vote', Buffer.from('1'))
        engineHost.broadcast(Buffer.from('vote'))
        return {}
      }),
      { store },
    )
    await host.start()
    await settle()
    expect(fatal).toHaveLength(1)
    expect(sent).toEqual([])
  })
})
