import { describe, expect, it } from 'vitest'
import { type Chaincode, ChaincodeError, ReadOnlyError, RequestError, TransactionEndedError } from '../../../plugins/chaincode/api/index.js'
import { createInProcessRuntime } from '../../../plugins/chaincode/api/in-process.js'
import { MemoryPeer } from './memory-peer.js'

const peerWith = (chaincode: Chaincode) => new MemoryPeer().add(createInProcessRuntime('cc', chaincode))

describe('a stub', () => {
  it('gives function and arguments, transaction id and time', async () => {
    const peer = peerWith({
      invoke: (stub, fn, args) =>
        JSON.stringify([fn, args, stub.txId, String(stub.txTimestamp?.seconds), stub.getFunctionAndParameters(), stub.getStringArgs()]),
    })
    expect(JSON.parse((await peer.invoke('cc', ['move', 'é', ''], { txid: 't9' })).text)).toEqual([
      'move',
      ['é', ''],
      't9',
      '1450000000',
      { fcn: 'move', params: ['é', ''] },
      ['move', 'é', ''],
    ])
  })

  it('reads what the transaction wrote, and undefined for what is absent or deleted', async () => {
    const peer = peerWith({
      async invoke(stub) {
        await Promise.all([stub.putState('a', '1'), stub.putState(new Uint8Array([255, 0]), '2')])
        await stub.deleteState('a')
        return JSON.stringify([await stub.getState('a'), Array.from((await stub.getState(new Uint8Array([255, 0]))) ?? [])])
      },
    })
    expect((await peer.invoke('cc', ['x'])).text).toBe(`[null,[50]]`)
  })

  it.each([
    ['', 'v', "key='', value='[]byte{0x76}'"],
    ['k', '', "key='k', value='[]byte(nil)'"],
  ])('refuses to put key %j with value %j, with the text of the peer', async (key, value, ending) => {
    const { ok, text } = await peerWith({ invoke: (stub) => stub.putState(key, value) }).invoke('cc', ['x'])
    expect({ ok, text }).toEqual({
      ok: false,
      text: `LedgerError - InvalidArgument: An empty string key or a nil value is not supported. Method invoked with ${ending}`,
    })
  })

  it('goes on after a refused request if the chaincode handles it', async () => {
    const peer = peerWith({
      async invoke(stub) {
        await expect(stub.putState('', 'v')).rejects.toThrow(RequestError)
        await stub.putState('k', 'v')
      },
    })
    expect((await peer.invoke('cc', ['x'])).committed).toBe(true)
    expect(peer.state('cc')).toEqual({ k: 'v' })
  })

  it('refuses writes in a query at run time, with the texts of v0.6', async () => {
    const texts: string[] = []
    const writing: Chaincode = {
      async query(stub) {
        for (const name of ['putState', 'deleteState', 'invokeChaincode']) {
          const write: unknown = Reflect.get(stub, name)
          if (typeof write !== 'function') throw new Error(name)
          await expect(
            write.call(stub, 'k', ['v']).catch((error: Error) => {
              texts.push(error.message)
              throw error
            }),
          ).rejects.toThrow(ReadOnlyError)
        }
      },
    }
    expect((await peerWith(writing).query('cc', ['x'])).ok).toBe(true)
    expect(texts).toEqual(['Cannot put state in query context', 'Cannot del state in query context', 'Cannot invoke chaincode in query context'])
  })

  it('reads ranges lazily in batches, closes them, and can sort', async () => {
    const keys = Array.from({ length: 205 }, (_, i) => `k${String(i).padStart(3, '0')}`)
    const peer = peerWith({
      async init(stub) {
        for (const key of keys) await stub.putState(key, key)
      },
      async query(stub, fn) {
        if (fn === 'sorted') return (await stub.sortedRange('k010', 'k012')).map(({ keyString }) => keyString).join()
        let count = 0
        for await (const { key, value } of stub.getStateByRange('', '')) {
          expect(key).toEqual(value)
          if ((count += 1) === Number(fn)) break
        }
        return String(count)
      },
    })
    await peer.deploy('cc', ['init'])
    expect((await peer.query('cc', ['sorted'])).text).toBe('k010,k011,k012')
    expect((await peer.query('cc', ['0'])).text).toBe('205')
    expect((await peer.query('cc', ['150'])).text).toBe('150')
  })

  it('waits for requests on their way, and refuses those made after the handler has ended', async () => {
    let late: Promise<unknown> | undefined
    const peer = peerWith({
      invoke(stub) {
        const query = stub.queryChaincode('other', ['q'])
        late = query
          .then(() => stub.putState('late', 'v'))
          .then(
            () => 'written',
            (error: unknown) => error,
          )
        return stub.putState('k', 'v')
      },
    }).add(createInProcessRuntime('other', { query: () => 'answer' }))
    expect((await peer.invoke('cc', ['x'])).ok).toBe(true)
    expect(await late).toBeInstanceOf(TransactionEndedError)
    expect(peer.state('cc')).toEqual({ k: 'v' })
  })

  it('calls other chaincode, whose failure is an error with its text', async () => {
    const callee: Chaincode = {
      invoke(_stub, fn) {
        if (fn === 'fail') throw new Error('no luck')
        return 'done'
      },
      query: (stub) => stub.getState('k'),
    }
    const peer = peerWith({
      async invoke(stub) {
        await expect(stub.invokeChaincode('callee', ['fail'])).rejects.toEqual(new ChaincodeError('callee', 'no luck'))
        return stub.invokeChaincode('callee', ['x', new Uint8Array([1])])
      },
    }).add(createInProcessRuntime('callee', callee))
    expect((await peer.invoke('cc', ['x'])).text).toBe('done')
  })

  it('keeps the last event, also of a failed transaction, and none of a query', async () => {
    const peer = peerWith({
      invoke(stub) {
        stub.setEvent('first', '1')
        stub.setEvent('last', '2')
        throw new Error('failed')
      },
      query: () => 'nothing',
    })
    const { ok, event } = await peer.invoke('cc', ['x'])
    expect([ok, event?.name, Buffer.from(event?.payload ?? []).toString()]).toEqual([false, 'last', '2'])
    expect((await peer.query('cc', ['x'])).event).toBeUndefined()
  })

  it('fails a handler that returns or throws what cannot be sent', async () => {
    const wrong: Chaincode = { invoke: () => JSON.parse('7') }
    expect((await peerWith(wrong).invoke('cc', ['x'])).text).toBe('a handler must return a string, a Uint8Array or nothing, found number')
    const throwing: Chaincode = { invoke: () => Promise.reject({ toString: null }) }
    expect((await peerWith(throwing).invoke('cc', ['x'])).text).toBe('the chaincode threw a object instead of an Error')
  })
})

describe('a runtime in process', () => {
  it('rejects calls in flight and later ones as lost when it is closed, and says so once', async () => {
    const runtime = createInProcessRuntime('cc', { invoke: () => new Promise<void>(() => undefined) })
    const peer = new MemoryPeer().add(runtime)
    const reasons: string[] = []
    runtime.onClosed((reason) => reasons.push(reason))
    const call = peer.invoke('cc', ['x'])
    await Promise.all([runtime.close('too slow'), expect(call).rejects.toMatchObject({ code: 'ERR_CHAINCODE_LOST', retryable: true })])
    await runtime.close('again')
    await expect(peer.invoke('cc', ['x'])).rejects.toMatchObject({ code: 'ERR_CHAINCODE_LOST' })
    expect(reasons).toEqual(['too slow'])
  })
})
