import { describe, expect, it } from 'vitest'
import type { EngineHost } from '../../../plugins/consensus/index.js'
import { transactionOf } from '../kit/fake-ledger.js'
import { createBench, engineOf, run, settle } from '../kit/harness.js'

const BYTES = Buffer.from('x')

describe('handlers of an engine', () => {
  it('never run re-entrantly, also when the transport answers at once', async () => {
    let depth = 0
    let deepest = 0
    let handled = 0
    const bench = createBench(
      engineOf((host) => ({
        onSigned() {
          depth++
          deepest = Math.max(deepest, depth)
          handled++
          if (handled < 50) host.sign(`token ${handled}`, BYTES)
          depth--
        },
        onMessage: () => host.sign('first', BYTES),
      })),
    )
    await bench.host.start()
    bench.transport.message(1, BYTES)
    await run(bench.time, 1)
    expect([handled, deepest]).toEqual([50, 1])
  })

  it('that ask for more in each answer, without end, are halted: the peer gets its turn', async () => {
    const bench = createBench(
      engineOf((host) => ({
        onSigned: () => host.sign('again', BYTES),
        onMessage: () => host.sign('first', BYTES),
      })),
    )
    await bench.host.start()
    bench.transport.message(1, BYTES)
    await run(bench.time, 1)
    expect(bench.host.status().halted).toBe("it asks for more in each answer without end: the last of 250000 was 'signed'")
  })

  it('see an answer only after everything that they asked for is carried out', async () => {
    const { host, transport, time, sent } = createBench(
      engineOf((engineHost) => ({
        onMessage() {
          engineHost.sign('token', BYTES)
          engineHost.send(1, Buffer.from('asked first'))
        },
        onSigned: () => engineHost.send(1, Buffer.from('asked second')),
      })),
    )
    await host.start()
    transport.message(1, BYTES)
    await run(time, 1)
    expect(sent.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['asked first', 'asked second'])
  })

  it('end with dispose, also of an engine that was halted; only its log lines count then', async () => {
    for (const isHalted of [false, true]) {
      const { host, sent, log } = createBench(
        engineOf((engineHost) => {
          if (isHalted) engineHost.halt('enough')
          return {
            dispose() {
              engineHost.log('info', 'good bye')
              engineHost.broadcast(BYTES)
            },
          }
        }),
      )
      await host.start()
      await host.stop()
      expect([sent.length, log.lines.filter((line) => line === 'info good bye').length]).toEqual([0, 1])
    }
  })

  it('are the only place where effects may be asked for', async () => {
    let held: EngineHost | undefined
    const { host } = createBench(
      engineOf((engineHost) => {
        held = engineHost
        return {}
      }),
    )
    await host.start()
    expect(() => held?.send(1, BYTES)).toThrow(/^host\.send\(\) was called outside the engine's handlers: .* ask for it inside a handler/)
    expect(() => held?.put('a', BYTES)).toThrow(/^host\.put\(\) or delete\(\) was called outside/)
    expect(() => held?.now).toThrow(/^host\.now was read outside/)
    expect(() => held?.random()).toThrow(/^host\.random\(\) was called outside/)
    expect(held?.head.height).toBe(0n)
  })

  it('that throw halt the engine, and nothing of them is carried out', async () => {
    let held: EngineHost | undefined
    const { host, transport, time, sent, store } = createBench(
      engineOf((engineHost) => ({
        onMessage() {
          held = engineHost
          engineHost.put('vote', BYTES)
          engineHost.send(1, BYTES)
          throw new Error('cannot happen')
        },
      })),
    )
    await host.start()
    transport.message(1, BYTES)
    await run(time, 1)
    expect(host.status().halted).toMatch(/^the engine threw in 'message': cannot happen at onMessage \(\S*handlers\.test\.ts:\d+:\d+\)/)
    expect([sent, store.written]).toEqual([[], []])
    expect(() => held?.send(1, BYTES)).toThrow(/outside the engine's handlers/)
    await expect(host.submit(transactionOf('a'))).rejects.toMatchObject({ code: 'ERR_CONSENSUS_HALTED', message: expect.stringContaining('cannot happen') })
  })

  it.each([
    ['a promise', (): unknown => Promise.resolve()],
    ['one that is rejected, which ends no process', (): unknown => Promise.reject(new Error('nobody hears'))],
  ])('must be synchronous: %s', async (_, laterOn) => {
    const { host, transport, time } = createBench(engineOf(() => ({ onMessage: () => laterOn() })))
    await host.start()
    transport.message(1, BYTES)
    await run(time, 1)
    expect(host.status().halted).toMatch(/returned a promise/)
  })

  it('are not looked for in what is no engine', async () => {
    const cases: readonly (readonly [unknown, RegExp])[] = [
      [Promise.reject(new Error('nobody hears')), /create\(\) returned a promise/],
      [undefined, /it returned undefined/],
    ]
    for (const [made, reason] of cases) {
      const untyped: object = { made }
      const { host } = createBench(engineOf(() => Reflect.get(untyped, 'made')))
      await host.start()
      expect(host.status().halted).toMatch(reason)
    }
  })

  const unreadable = new Proxy(new Error('hidden'), {
    get() {
      throw new Error('a trap')
    },
  })

  it.each([
    ['an error that cannot be read', unreadable, 'something that cannot be shown'],
    ['control characters', new Error('\u001b[2J two\nlines \u202e'), '\ufffd[2J two\ufffdlines \ufffd'],
    ['a symbol', Symbol('odd'), 'Symbol(odd)'],
  ])('that throw %s halt the engine with what can be said of it', async (_, thrown, text) => {
    const { host, transport, time } = createBench(
      engineOf(() => ({
        onMessage() {
          throw thrown
        },
      })),
    )
    await host.start()
    transport.message(1, BYTES)
    await run(time, 1)
    expect(host.status().halted).toContain(`the engine threw in 'message': ${text}`)
  })

  it('see one moment of logical time, and a head that moves only with the event that tells of it', async () => {
    const heads: unknown[] = []
    const { host, time } = createBench(
      engineOf((engineHost) => ({
        onRequest(request) {
          heads.push(['request', engineHost.head.height, engineHost.now])
          engineHost.deliver('block', [request])
        },
        onDelivered: (_tag, block) => void heads.push(['delivered', engineHost.head.height, block === 'skipped' || block.number]),
      })),
    )
    await host.start()
    void host.submit(transactionOf('a'))
    await run(time, 1)
    expect(heads).toEqual([
      ['request', 0n, 1_470_009_600_000],
      ['delivered', 1n, 0n],
    ])
  })

  it('may halt: what they asked for before is carried out, what after is not', async () => {
    const { host, transport, time, sent, log } = createBench(
      engineOf((engineHost) => ({
        onMessage() {
          engineHost.send(1, Buffer.from('before'))
          engineHost.halt('two correct members disagree')
          engineHost.send(1, Buffer.from('after'))
          engineHost.setTimer('t', 1)
        },
      })),
    )
    await host.start()
    transport.message(1, BYTES)
    await run(time, 10)
    expect(sent.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['before'])
    expect(host.status().halted).toBe('two correct members disagree')
    expect(log.lines.some((line) => line.startsWith('critical') && line.includes('two correct members disagree'))).toBe(true)
    expect(host.status().engine).toEqual({ name: 'test', version: '1' })
  })

  it('that do not exist are left out', async () => {
    const { host, transport, time } = createBench(engineOf(() => ({})))
    await host.start()
    transport.peer(1, true)
    transport.message(1, BYTES)
    await run(time, 1)
    expect(host.status().halted).toBeUndefined()
  })

  it('refuse destinations that are no other member', async () => {
    const { host, transport, time } = createBench(engineOf((engineHost) => ({ onMessage: () => engineHost.send(0, BYTES) })))
    await host.start()
    transport.message(1, BYTES)
    await run(time, 1)
    expect(host.status().halted).toMatch(/another member/)
  })

  it('halt before the first one, when the engine cannot be made', async () => {
    const { host } = createBench(
      engineOf(() => {
        throw new Error('my records are damaged')
      }),
    )
    await host.start()
    expect(host.status().halted).toMatch(/my records are damaged/)
  })
})

describe('what an engine shows', () => {
  it('appears in the status and in the metrics', async () => {
    const { host } = createBench(
      engineOf((engineHost) => {
        engineHost.status({ view: 3 })
        engineHost.metric('views', 3)
        engineHost.setValid(false)
        return {}
      }),
    )
    await host.start()
    await settle()
    expect(host.status()).toMatchObject({ engineView: { view: 3 }, valid: false, epoch: 0n, height: 0n, pendingRequests: 0 })
    expect(host.metrics.get('views')).toBe(3)
  })

  it('without security signs with the bytes themselves and finds every signature good (spec/consensus.md §2.4)', async () => {
    const { host, events } = createBench(
      engineOf((engineHost) => {
        engineHost.sign('s', BYTES)
        engineHost.verify('v', [{ member: 1, bytes: BYTES, signature: new Uint8Array() }])
        return {}
      }),
    )
    await host.start()
    expect(events).toEqual([
      { type: 'signed', token: 's', signature: BYTES },
      { type: 'verified', token: 'v', verdicts: [true] },
    ])
  })

  it('with a signer is signed and verified as later events; an unknown member never verifies', async () => {
    const { host, events } = createBench(
      engineOf((engineHost) => {
        engineHost.sign('s', BYTES)
        engineHost.verify(
          'v',
          [1, 9].map((member) => ({ member, bytes: BYTES, signature: BYTES })),
        )
        return {}
      }),
      { signer: { sign: async () => Buffer.from('signed'), verify: async () => true } },
    )
    await host.start()
    await settle()
    expect(events).toContainEqual({ type: 'signed', token: 's', signature: Buffer.from('signed') })
    expect(events).toContainEqual({ type: 'verified', token: 'v', verdicts: [true, false] })
  })

  it('is the same for the same seed', async () => {
    const numbers = async (seed: bigint): Promise<number[]> => {
      let drawn: number[] = []
      const { host } = createBench(
        engineOf((engineHost) => {
          drawn = Array.from({ length: 100 }, () => engineHost.random())
          return {}
        }),
        { seed },
      )
      await host.start()
      return drawn
    }
    const drawn = await numbers(7n)
    expect(await numbers(7n)).toEqual(drawn)
    expect(await numbers(8n)).not.toEqual(drawn)
    expect(new Set(drawn).size).toBe(100)
    expect(drawn.every((number) => number >= 0 && number < 1)).toBe(true)
  })
})
