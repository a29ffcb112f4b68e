import { describe, expect, it } from 'vitest'
import type { CatalogEngine, SeatOptions } from '../../plugins/consensus/index.js'
import { createBench, engineOf, run, settle } from './kit/harness.js'

const BYTES = Buffer.from('x')

/** An engine that says its state is behind, and then breaks if it is told to. */
const behind = (breaks: () => boolean) =>
  engineOf((host) => {
    if (breaks()) host.setValid(false)
    return {
      onMessage() {
        throw new Error('a defect')
      },
    }
  })

describe('what an engine says of the state', () => {
  it('ends with it: a peer whose engine is halted answers queries, and so does one whose engine is begun again', async () => {
    let isBroken = true
    const { host, transport, time } = createBench(behind(() => isBroken))
    await host.start()
    await settle()
    expect(host.status()).toMatchObject({ valid: false, halted: undefined })
    transport.message(1, BYTES)
    await run(time, 10)
    expect(host.status()).toMatchObject({ valid: true, halted: expect.stringMatching(/a defect/) })
    await host.restartEngine()
    expect(host.status()).toMatchObject({ valid: false, halted: undefined })
    isBroken = false
    await host.restartEngine()
    expect(host.status()).toMatchObject({ valid: true, halted: undefined })
  })

  it('is not missed where a transfer was cut short: queries are refused until the state is that of the head', async () => {
    const bench = createBench(behind(() => true))
    let stateBlock: bigint | undefined = 41n
    Object.assign(bench.ledger, { stateBlock: () => stateBlock })
    await bench.host.start()
    bench.transport.message(1, BYTES)
    await run(bench.time, 10)
    expect(bench.host.status()).toMatchObject({ valid: false, halted: expect.stringMatching(/a defect/) })
    stateBlock = bench.ledger.height() === 0n ? undefined : bench.ledger.height() - 1n
    expect(bench.host.valid).toBe(true)
  })

  it('ends with its process: the engine that goes on from its records speaks for itself', async () => {
    const seats: SeatOptions[] = []
    const engine: CatalogEngine = {
      name: 'test',
      version: '1',
      codeDigest: undefined,
      isolated: true,
      origin: 'this test',
      agreement: false,
      options: {},
      tolerates: () => ({ crashed: 0, byzantine: 0 }),
      checkOptions: async () => undefined,
      seat: () => (options) => {
        seats.push(options)
        return {
          isRunning: true,
          isCongested: false,
          awaited: undefined,
          begin: () => true,
          post: () => undefined,
          end: () => undefined,
          dispose: async () => undefined,
        }
      },
    }
    const { host } = createBench(
      behind(() => false),
      { engine },
    )
    await host.start()
    seats[0]?.carryOut([{ type: 'valid', valid: false }])
    expect(host.valid).toBe(false)
    seats[0]?.lost('it was killed')
    await settle()
    expect(seats).toHaveLength(2)
    expect(host.valid).toBe(true)
  })
})
