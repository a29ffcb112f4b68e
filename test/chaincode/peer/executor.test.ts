import { describe, expect, it } from 'vitest'
import { Transaction_Type } from '../../../proto/index.js'
import { UNKNOWN_TRANSACTION_TYPE, bench, bytes, deploy, failed, invoke, ok, ordered, query, text, transactionOf, turn, type Script } from './kit.js'

const errors = (executed: readonly { readonly result: { readonly error?: string } }[]) => executed.map(({ result }) => result.error)

/** `put k v`, `get k`, `del k`, `fail text`. */
const store: Script = (call) => {
  const [verb = '', key = '', value = ''] = call.args.map(text)
  if (verb === 'put') call.state.put(bytes(key), bytes(value))
  else if (verb === 'get') return { ok: true, payload: call.state.get(bytes(key)) ?? new Uint8Array(0) }
  else if (verb === 'del') call.state.delete(bytes(key))
  else if (verb === 'putfail') {
    call.state.put(bytes(key), bytes(value))
    return failed('after the write')
  } else if (verb === 'fail') return failed(key)
  return ok(verb)
}

describe('executing a batch', () => {
  it('deploys, invokes and queries a chaincode', async () => {
    const { block, peer, ledger } = bench({ cc: store })
    expect(errors(await block(deploy('cc', ['put', 'a', '1']), invoke('cc', 't1', 'put', 'b', '2')))).toEqual([undefined, undefined])
    expect(ledger.text('cc', 'a')).toBe('1')
    expect(text(await peer.query(query('cc', 'q1', 'get', 'b')))).toBe('2')
    expect(peer.running()).toEqual(['cc'])
    expect(ledger.openViews).toBe(0)
  })

  it('drops what a failed transaction wrote and goes on with the batch', async () => {
    const { block, ledger } = bench({ cc: store })
    const executed = await block(deploy('cc', ['put', 'a', '1']), invoke('cc', 't1', 'putfail', 'a', '9'), invoke('cc', 't2', 'put', 'b', '2'))
    expect(errors(executed)).toEqual([undefined, 'Transaction or query returned with failure: after the write', undefined])
    expect(ledger.text('cc', 'a')).toBe('1')
    expect(ledger.text('cc', 'b')).toBe('2')
  })

  it('lets a transaction see the earlier ones of its batch, but a query only what is committed', async () => {
    const { block, peer } = bench({ cc: store })
    await block(deploy('cc', ['put', 'a', '1']))
    let seenByQuery = ''
    const { block: blockTwo, peer: other } = bench({
      cc: async (call) => {
        if (text(call.args[0] ?? bytes('')) !== 'probe') return store(call)
        seenByQuery = text(await other.query(query('cc', 'q', 'get', 'a')))
        return { ok: true, payload: call.state.get(bytes('a')) ?? bytes('') }
      },
    })
    await blockTwo(deploy('cc', ['put', 'a', 'old']))
    await blockTwo(invoke('cc', 't1', 'put', 'a', 'new'), invoke('cc', 't2', 'probe'))
    expect(seenByQuery).toBe('old')
    expect(text(await peer.query(query('cc', 'q', 'get', 'a')))).toBe('1')
  })

  it('keeps the event of an invoke, failed or not, under the name of the called chaincode, and drops that of a deploy', async () => {
    const event = { name: 'e', payload: bytes('p') }
    const { block } = bench({ cc: (call) => ({ ...(text(call.args[0] ?? bytes('')) === 'fail' ? failed('no') : ok()), event }) })
    const results = (await block(deploy('cc', ['init']), invoke('cc', 't1', 'x'), invoke('cc', 't2', 'fail'))).map(({ result }) => result.event)
    expect(results).toEqual([
      undefined,
      { chaincodeID: 'cc', txID: 't1', eventName: 'e', payload: bytes('p') },
      { chaincodeID: 'cc', txID: 't2', eventName: 'e', payload: bytes('p') },
    ])
  })

  it('gives the call the input, the security context and the txid of the transaction', async () => {
    const { block, launcher } = bench({ cc: () => ok() })
    await block(deploy('cc', ['init', 'a']), invoke('cc', 't1', 'x', ''))
    const [init, run] = launcher.latest.calls
    expect(init).toMatchObject({ kind: 'init', txid: 'cc', input: bytes('\n\u0004init\n\u0001a') })
    expect(run).toMatchObject({ kind: 'invoke', txid: 't1', args: [bytes('x'), bytes('')] })
    expect(run?.securityContext).toMatchObject({ payload: run?.input, txTimestamp: { seconds: 1_479_779_249n, nanos: 5 }, binding: new Uint8Array(0) })
  })

  it('sends READY instead of Init when the deploy has no arguments', async () => {
    const { block, launcher } = bench({ cc: store })
    await block(deploy('cc', []))
    expect(launcher.latest.readied).toEqual(['cc'])
    expect(launcher.latest.calls).toEqual([])
  })

  it('refuses transactions of other types, and those without a txid or a name', async () => {
    const { block } = bench({ cc: store })
    const noName = invoke('', 't3', 'x')
    const executed = await block(
      ordered(transactionOf(Transaction_Type.CHAINCODE_QUERY, 't1', 'cc', bytes(''))),
      ordered(transactionOf(Transaction_Type.CHAINCODE_TERMINATE, 't2', 'cc', bytes(''))),
      ordered(transactionOf(UNKNOWN_TRANSACTION_TYPE, 't2', 'cc', bytes(''))),
      noName,
      invoke('cc', '', 'x'),
    )
    expect(errors(executed)).toEqual([
      'Invalid transaction type CHAINCODE_QUERY',
      'Invalid transaction type CHAINCODE_TERMINATE',
      'Invalid transaction type 9',
      'Failed to launch chaincode spec(chaincode name not set)',
      'the transaction has no txid',
    ])
  })

  it('refuses payloads that are no specification', async () => {
    const { block } = bench()
    const [invoked, deployed] = errors(
      await block(
        ordered(transactionOf(Transaction_Type.CHAINCODE_INVOKE, 't1', 'cc', bytes('\u0007rubbish'))),
        ordered(transactionOf(Transaction_Type.CHAINCODE_DEPLOY, 't2', 'cc', bytes('\u0007rubbish'))),
      ),
    )
    expect(invoked).toMatch(/^Failed to launch chaincode spec\(cannot decode/)
    expect(deployed).toMatch(/^Failed to deploy chaincode spec\(cannot decode/)
  })

  it('rejects when the ledger fails, instead of blaming the transaction', async () => {
    const { ledger, peer, block } = bench({ cc: store })
    await block(deploy('cc', ['put', 'a', '1']))
    const batch = ledger.openBatch()
    batch.failure = new Error('disk on fire')
    await expect(peer.execute(batch, [invoke('cc', 't1', 'get', 'a')])).rejects.toThrow('disk on fire')
  })

  it('refuses empty keys and values with the text of v0.6', async () => {
    const { block } = bench({ cc: store })
    const executed = await block(deploy('cc', ['x']), invoke('cc', 't1', 'put', 'e', ''), invoke('cc', 't2', 'put', '', 'v'))
    expect(executed[1]?.result.error).toContain(
      `LedgerError - InvalidArgument: An empty string key or a nil value is not supported. Method invoked with key='e', value='[]byte(nil)'`,
    )
    expect(executed[2]?.result.error).toContain(`key='', value='[]byte{0x76}'`)
  })

  it('refuses writes after the call has ended', async () => {
    let late: (() => void) | undefined
    const { block, ledger } = bench({
      cc: (call) => {
        late = () => call.state.put(bytes('late'), bytes('x'))
        return ok()
      },
    })
    await block(deploy('cc', ['init']))
    expect(late).toThrow('has ended')
    expect(ledger.text('cc', 'late')).toBeUndefined()
  })

  it('closes the range queries that a call left open', async () => {
    let entries: AsyncIterator<unknown> | undefined
    const { block, ledger, peer } = bench({
      cc: async (call) => {
        entries = call.state.range(bytes(''), bytes(''))[Symbol.asyncIterator]()
        await entries.next()
        return ok()
      },
    })
    await block(deploy('cc', []))
    ledger.seed('cc', { a: '1', b: '2' })
    await peer.query(query('cc', 'q'))
    await expect(entries?.next()).rejects.toThrow('has ended')
    await turn()
  })
})
