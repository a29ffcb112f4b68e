import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { noops, parseNoopsOptions } from '../../plugins/noops/index.js'
import { createBench, run } from '../consensus/kit/harness.js'
import { transactionOf } from '../consensus/kit/fake-ledger.js'

const wrapping: { noops: { transactionHex: string; transactionBlockHex: string } } = JSON.parse(
  readFileSync(new URL('../vectors/consensus/wrapping.json', import.meta.url), 'utf8'),
)
const vector = {
  transaction: Buffer.from(wrapping.noops.transactionHex, 'hex'),
  block: Buffer.from(wrapping.noops.transactionBlockHex, 'hex'),
}

const bench = (size: number, options: Record<string, unknown> = {}) => createBench(noops, { size, engine: { factory: noops, options } })

describe('noops', () => {
  it('announces a local transaction as the original does (wrapping.json)', async () => {
    const { host, time, sent } = bench(3)
    await host.start()
    const submitting = host.submit(vector.transaction)
    await run(time, 10)
    await submitting
    expect(sent.map(({ to, bytes }) => [to, Buffer.from(bytes).toString('hex')])).toEqual([1, 2].map((to) => [to, wrapping.noops.transactionBlockHex]))
  })

  it('makes a block of an announced transaction, and of the first one only', async () => {
    const { host, time, transport, ledger } = bench(2)
    await host.start()
    transport.message(1, Buffer.concat([vector.block, Buffer.from([0x0a, 0x00])]))
    await run(time, 10)
    expect(ledger.height()).toBe(1n)
    expect(ledger.block(0n)?.transactions).toHaveLength(1)
    expect(ledger.block(0n)?.consensusMetadata).toHaveLength(0)
  })

  it('ignores messages that hold no transaction', async () => {
    const { host, time, transport, ledger } = bench(2)
    await host.start()
    for (const hostile of ['', 'ff', '0a', '0a05', '0aff01', '0800', '0a0208']) transport.message(1, Buffer.from(hostile, 'hex'))
    await run(time, 2000)
    expect(host.status().halted).toBeUndefined()
    expect(ledger.height()).toBe(0n)
  })

  it('does not queue again what is announced again', async () => {
    const { host, time, transport, ledger } = bench(2)
    await host.start()
    transport.message(1, vector.block)
    await run(time, 10)
    transport.message(1, vector.block)
    await run(time, 2000)
    expect(ledger.height()).toBe(1n)
  })

  it('with fixed batching makes a block when it is full, or one wait after the first transaction', async () => {
    const { host, time, ledger } = bench(1, { batching: 'fixed', 'block.size': 3, 'block.wait': 1 })
    await host.start()
    const submitting = Promise.all(['a', 'b', 'c', 'd'].map((payload) => host.submit(transactionOf(payload))))
    await run(time, 10)
    await submitting
    expect(ledger.payloads()).toEqual([['a', 'b', 'c']])
    await run(time, 980)
    expect(ledger.height()).toBe(1n)
    await run(time, 20)
    expect(ledger.payloads()).toEqual([['a', 'b', 'c'], ['d']])
  })

  it('with adaptive batching commits a lone transaction without waiting', async () => {
    const { host, time, ledger } = bench(1)
    await host.start()
    void host.submit(transactionOf('lone'))
    await run(time, 0)
    expect(ledger.payloads()).toEqual([['lone']])
    expect(time.nowMs).toBe(0)
  })

  it('claims no agreement and tolerates nothing', () => {
    expect(noops.agreement).toBe(false)
    expect(noops.tolerates(4)).toEqual({ crashed: 0, byzantine: 0 })
  })
})

describe('the options of noops', () => {
  it('are those of v0.6 by default', () => {
    expect(parseNoopsOptions(undefined)).toEqual({ size: 500, waitMs: 1000, batching: 'adaptive' })
  })

  it.each([
    [2, 2000],
    ['3', 3000],
    ['1m30s', 90_000],
    ['500ms', 500],
  ])('read a wait of %s as %d ms', (written, waitMs) => {
    expect(parseNoopsOptions({ 'block.wait': written }).waitMs).toBe(waitMs)
  })

  it.each([0, '0', '0s', '', 'soon', '-1s', '1.5', -1])('refuse a wait of %j', (written) => {
    expect(() => parseNoopsOptions({ 'block.wait': written })).toThrow(/block\.wait/)
  })

  it('take a size below 1 as 1', () => {
    expect(parseNoopsOptions({ 'block.size': -4 }).size).toBe(1)
  })

  it('refuse what they do not know', () => {
    expect(() => parseNoopsOptions({ size: 3 })).toThrow(/size/)
  })
})
