import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../kit/random.js'
import { VirtualTime } from '../../kit/virtual-clock.js'
import { deliveredBlock } from '../../../plugins/consensus/execution/execution.js'
import { createEngineRecords } from '../../../plugins/consensus/engine/records.js'
import { BlockchainInfo } from '../../../proto/index.js'
import { createBench, engineOf, run, settle } from '../kit/harness.js'
import { type Disk, MemoryStore } from '../kit/memory-store.js'
import type { EngineHost } from '../../../plugins/consensus/index.js'

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

type Effects = { [Name in keyof EngineHost]: EngineHost[Name] extends (...args: never[]) => void ? Name : never }[keyof EngineHost]

describe('what an engine asks for without types', () => {
  const bytes = new Uint8Array(1)
  it.each<[Effects, readonly unknown[], RegExp]>([
    ['put', ['k', 'text'], /put\(\) takes bytes as a Uint8Array; found "text"/],
    ['put', ['k', [1, 2, Number.NaN]], /found an array/],
    ['put', ['k', new Proxy(bytes, {})], /found an object/],
    ['put', ['k', Object.setPrototypeOf({ length: 1e9 }, Uint8Array.prototype)], /found an object/],
    ['put', [7, bytes], /put\(\) takes a key as a string; found 7/],
    ['delete', [undefined], /delete\(\) takes a key as a string; found undefined/],
    ['send', ['1', bytes], /goes to another member/],
    ['send', [0.5, bytes], /goes to another member/],
    ['send', [1, undefined], /send\(\) takes bytes/],
    ['broadcast', [new DataView(bytes.buffer)], /broadcast\(\) takes bytes/],
    ['setTimer', ['t', '10'], /0 or more milliseconds; found "10"/],
    ['setTimer', ['t', Number.NaN], /0 or more milliseconds; found NaN/],
    ['setTimer', [{}, 1], /setTimer\(\) takes a name as a string/],
    ['cancelTimer', [1], /cancelTimer\(\) takes a name/],
    ['deliver', ['tag', null], /deliver\(\) takes an array of requests; found null/],
    ['deliver', ['tag', [{ id: 'x' }]], /deliver\(\) takes requests as/],
    ['deliver', [{}, []], /deliver\(\) takes a tag/],
    ['deliver', ['tag', [], { metadata: 'mine' }], /deliver\(\) takes metadata/],
    ['deliver', ['tag', [], { put: new Map([['k', 'v']]) }], /deliver\(\) takes put as an array/],
    ['deliver', ['tag', [], { put: [['k', 'v']] }], /put of deliver\(\) takes bytes/],
    ['execute', ['tag', [null]], /execute\(\) takes requests as/],
    ['commit', ['tag', 'mine'], /commit\(\) takes metadata/],
    ['transferTo', [{ height: 5, hash: bytes, members: [1] }], /transferTo\(\) takes a height as a bigint, 0n or more; found 5/],
    ['transferTo', [{ height: -1n, hash: bytes, members: [1] }], /found -1n/],
    ['transferTo', [{ height: 5n, hash: bytes, members: ['vp1'] }], /members as an array of indexes/],
    ['setValid', ['no'], /setValid\(\) takes true or false; found "no"/],
    ['sign', ['token', 'text'], /sign\(\) takes bytes/],
    ['verify', ['token', [{ member: 1, bytes }]], /verify\(\) takes items as/],
    ['forget', [[1]], /forget\(\) takes an array of ids/],
    ['status', [null], /status\(\) takes an object; found null/],
    ['metric', ['m', '1'], /metric\(\) takes a number/],
    ['log', ['shout', 'x'], /log\(\) takes one of error, warning, info, debug; found "shout"/],
    ['halt', [{ why: 1 }], /halt\(\) takes a reason as a string; found an object/],
  ])('%s of what it does not take is refused in its handler, and the peer lives on', async (call, args, reason) => {
    const { host, transport, time, fatal, store } = createBench(
      engineOf((engineHost) => ({
        onMessage() {
          engineHost.put('before', bytes)
          const asked: object = engineHost
          Reflect.apply(Reflect.get(asked, call), asked, args)
        },
      })),
    )
    await host.start()
    transport.message(1, bytes)
    await run(time, 1)
    await settle()
    expect(host.status().halted).toMatch(reason)
    expect([fatal, store.written]).toEqual([[], []])
  })
})

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
