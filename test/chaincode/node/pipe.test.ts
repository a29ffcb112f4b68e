import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createInProcessRuntime } from '../../../plugins/chaincode/api/in-process.js'
import { createNodeLauncher } from '../../../plugins/chaincode/node/index.js'
import type { ChaincodeRuntime } from '../../../plugins/chaincode/runtime.js'
import { MemoryPeer } from '../api/memory-peer.js'
import script from './fixtures/script.js'
import { inputOf } from './packages.js'
import { keepingLog } from './quiet-log.js'

const fixture = fileURLToPath(new URL('fixtures/script.ts', import.meta.url))
// What is tested here is the pipe: it is the same with and without a sandbox.
const FACTS = { path: '', isDeploy: true, signal: new AbortController().signal }
const launcher = createNodeLauncher({ log: keepingLog(), sandbox: 'none' })
let runtime: ChaincodeRuntime

beforeAll(async () => {
  const { bytes } = await launcher.pack(fixture, inputOf('init'))
  runtime = await launcher.launch('cc', bytes, FACTS)
})
afterAll(() => runtime.close('the tests are over'))

const other = () =>
  createInProcessRuntime('other', { invoke: (stub, fn) => stub.putState('called', fn || 'x').then(() => fn), query: (stub) => stub.getState('called') })
const overPipe = () => new MemoryPeer().add(runtime).add(other())
const inProcess = () => new MemoryPeer().add(createInProcessRuntime('cc', script)).add(other())

describe('a chaincode behind the pipe', () => {
  const key = fc.constantFrom('', 'a', 'b', 'c', 'd', '\u0000', 'é', 'during')
  const operation = fc.oneof(
    fc.tuple(fc.constant('get'), key),
    fc.tuple(fc.constant('put'), key, fc.constantFrom('', '1', '2', 'ü')),
    fc.tuple(fc.constant('delete'), key),
    fc.tuple(fc.constantFrom('range'), fc.constantFrom('', 'a', 'b'), fc.constantFrom('', 'c', 'é')),
    fc.tuple(fc.constantFrom('call', 'ask', 'event'), fc.constant('other'), fc.constantFrom('', 'v')),
    fc.tuple(fc.constantFrom('get', 'fail'), key),
  )

  it('acts exactly as in process, whatever it does', async () => {
    const request = fc.tuple(fc.constantFrom('in turn', 'at once'), fc.array(operation, { maxLength: 12 }))
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 4 }), async (requests) => {
        const [left, right] = [overPipe(), inProcess()]
        for (const [mode, operations] of requests) {
          const args = [mode, JSON.stringify(operations)]
          expect(await left.invoke('cc', args)).toEqual(await right.invoke('cc', args))
          for (const name of ['cc', 'other']) expect(left.state(name)).toEqual(right.state(name))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('reads ranges of several batches and large values', async () => {
    const peer = overPipe()
    const value = 'v'.repeat(300_000)
    const writes = Array.from({ length: 230 }, (_, i) => ['put', `k${i}`, i < 3 ? value : 'v'])
    expect((await peer.invoke('cc', ['at once', JSON.stringify(writes)])).ok).toBe(true)
    const found: string[][] = JSON.parse((await peer.invoke('cc', ['in turn', JSON.stringify([['range', '', '']])])).text)
    expect(found[0]).toHaveLength(230)
  })

  it('serves queries beside a transaction', async () => {
    const peer = overPipe()
    await peer.invoke('cc', ['in turn', JSON.stringify([['put', 'k', 'v']])])
    const [transaction, ...queries] = await Promise.all([
      peer.invoke('cc', [
        'in turn',
        JSON.stringify([
          ['get', 'k'],
          ['range', '', ''],
        ]),
      ]),
      ...Array.from({ length: 20 }, () => peer.query('cc', ['q'])),
    ])
    expect(transaction.ok).toBe(true)
    expect(queries.map(({ text }) => text)).toEqual(Array.from({ length: 20 }, () => 'v'))
  })

  it('foresees the keys that a function reads among its arguments, and is not fooled by its own writes', async () => {
    const peer = overPipe()
    await peer.invoke('cc', ['in turn', JSON.stringify([['put', 'in turn', 'old']])])
    for (const _ of [1, 2, 3]) {
      const { text } = await peer.invoke('cc', [
        'in turn',
        JSON.stringify([
          ['get', 'in turn'],
          ['put', 'in turn', 'new'],
          ['get', 'in turn'],
          ['put', 'in turn', 'old'],
        ]),
      ])
      expect(text).toBe('["old",null,"new",null]')
    }
  })

  it('refuses a second call with the txid of one that is running', async () => {
    const peer = overPipe()
    const calls = [peer.invoke('cc', ['in turn', '[]'], { txid: 'same' }), peer.invoke('cc', ['in turn', '[]'], { txid: 'same' })]
    const [first, second] = await Promise.allSettled(calls)
    expect([first?.status, second?.status]).toEqual(['fulfilled', 'rejected'])
  })
})
