import { describe, expect, it } from 'vitest'
import { PeerError } from '../../../kernel/index.js'
import { bench, bytes, deploy, failed, invoke, ok, query, text, turn, type Script } from './kit.js'

const errors = (executed: readonly { readonly result: { readonly error?: string } }[]) => executed.map(({ result }) => result.error)
const never: Script = () => new Promise(() => undefined)

/** Calls what its arguments say and passes the answer on: `invoke|query name args...`. */
const passthru: Script = async (call) => {
  const [verb = '', name = '', ...args] = call.args.map(text)
  if (verb === 'init') return ok()
  const asked = verb === 'query' ? call.queryChaincode(name, args.map(bytes)) : call.invokeChaincode(name, args.map(bytes))
  const { ok: succeeded, payload } = await asked
  return { ok: succeeded, payload }
}

const store: Script = (call) => {
  const [verb = '', key = '', value = ''] = call.args.map(text)
  if (verb === 'put') call.state.put(bytes(key), bytes(value))
  if (verb === 'putfail') {
    call.state.put(bytes(key), bytes(value))
    return failed('too bad')
  }
  return { ok: true, payload: call.state.get(bytes(key)) ?? bytes('') }
}

async function pair(more: Record<string, Script> = {}) {
  const peer = bench({ store, passthru, ...more })
  const names = ['store', 'passthru', ...Object.keys(more)]
  await peer.block(...names.map((name) => deploy(name, ['init'])))
  return peer
}

describe('a chaincode calling another', () => {
  it('writes into the namespace of the called one, in the same transaction', async () => {
    const { block, ledger } = await pair()
    expect(errors(await block(invoke('passthru', 't1', 'invoke', 'store', 'put', 'k', 'v')))).toEqual([undefined])
    expect([ledger.text('store', 'k'), ledger.text('passthru', 'k')]).toEqual(['v', undefined])
  })

  it('loses its writes with those of the called one when it fails itself', async () => {
    const { block, ledger } = await pair()
    expect(errors(await block(invoke('passthru', 't1', 'invoke', 'store', 'putfail', 'k', 'v')))).toEqual([
      'Transaction or query returned with failure: too bad',
    ])
    expect(ledger.text('store', 'k')).toBeUndefined()
  })

  it('keeps what a failed callee wrote if it carries on (spec/chaincode.md §8)', async () => {
    const { block, ledger } = await pair({
      brave: async (call) => {
        if (call.kind === 'invoke') await call.invokeChaincode('store', ['putfail', 'k', 'v'].map(bytes))
        return ok()
      },
    })
    expect(errors(await block(invoke('brave', 't1')))).toEqual([undefined])
    expect(ledger.text('store', 'k')).toBe('v')
  })

  it('reads committed state only in a query, even from a transaction that wrote', async () => {
    const seen: string[] = []
    const { block } = await pair({
      prober: async (call) => {
        if (call.kind === 'init') return ok()
        await call.invokeChaincode('store', ['put', 'k', 'new'].map(bytes))
        seen.push(text((await call.invokeChaincode('store', ['get', 'k'].map(bytes))).payload))
        seen.push(text((await call.queryChaincode('store', ['get', 'k'].map(bytes))).payload))
        return ok()
      },
    })
    await block(invoke('store', 't0', 'put', 'k', 'old'))
    await block(invoke('prober', 't1'))
    expect(seen).toEqual(['new', 'old'])
  })

  it('gives the callee no identity, but the time of the transaction', async () => {
    const { block, launcher } = await pair()
    await block(invoke('passthru', 't1', 'invoke', 'store', 'get', 'k'))
    const [callee] = launcher.launched.filter(({ name }) => name === 'store').flatMap(({ calls }) => calls.slice(1))
    expect(callee).toMatchObject({ txid: 't1', kind: 'invoke' })
    expect(callee?.securityContext).toMatchObject({
      callerCert: bytes(''),
      metadata: bytes(''),
      payload: callee?.input,
      txTimestamp: { seconds: 1_479_779_249n, nanos: 5 },
    })
  })

  it('drops the event of the callee', async () => {
    const { block } = await pair({ loud: () => ({ ...ok(), event: { name: 'e', payload: bytes('p') } }) })
    const [executed] = await block(invoke('passthru', 't1', 'invoke', 'loud'))
    expect(executed?.result).toEqual({ txid: 't1' })
  })

  it('cannot call itself, nor one that waits for it', async () => {
    const { block, peer } = await pair({ back: (call) => (call.kind === 'init' ? ok() : call.invokeChaincode('passthru', [bytes('x')])) })
    const executed = await block(invoke('passthru', 't1', 'invoke', 'passthru', 'x'), invoke('passthru', 't2', 'invoke', 'back'))
    expect(errors(executed)).toEqual([
      'Transaction or query returned with failure: Error sending TRANSACTION: txid:t1 exists',
      'Transaction or query returned with failure: Error sending TRANSACTION: txid:t2 exists',
    ])
    await expect(peer.query(query('passthru', 'q1', 'query', 'passthru', 'x'))).rejects.toThrow('returned with failure: Error sending QUERY: txid:q1 exists')
  })

  it("cannot invoke from a query, and gets v0.6's reason for a name that is not deployed", async () => {
    const { peer } = await pair()
    await expect(peer.query(query('passthru', 'q1', 'invoke', 'store', 'put', 'k', 'v'))).rejects.toThrow('Cannot handle INVOKE_CHAINCODE in query context')
    await expect(peer.query(query('passthru', 'q2', 'query', 'nobody'))).rejects.toThrow(
      'returned with failure: Could not get deployment transaction for nobody',
    )
    await expect(peer.query(query('passthru', 'q3', 'query', ''))).rejects.toThrow('returned with failure: chaincode name not set')
  })

  it('cannot write through a query', async () => {
    const { block } = await pair()
    const [executed] = await block(invoke('passthru', 't1', 'query', 'store', 'put', 'k', 'v'))
    expect(executed?.result.error).toContain('Cannot handle PUT_STATE in query context')
  })

  it('is tried once more as a whole when the callee went away, even if it would carry on', async () => {
    let lives = 0
    const kit = await pair({
      frail: (call) => {
        if (call.kind === 'init' || lives++ > 0) return ok('fine')
        kit.launcher.launched.find(({ name }) => name === 'frail')?.die('killed')
        return never(call)
      },
      brave: async (call) => {
        if (call.kind === 'init') return ok()
        const { ok: isFine } = await call.invokeChaincode('frail', [bytes('x')])
        call.state.put(bytes('callee'), bytes(String(isFine)))
        return ok()
      },
    })
    expect(errors(await kit.block(invoke('brave', 't1')))).toEqual([undefined])
    expect(kit.ledger.text('brave', 'callee')).toBe('true')
    lives = 0
    kit.launcher.scripts['frail'] = (call) => {
      for (const runtime of kit.launcher.launched) if (runtime.name === 'frail') runtime.die('killed')
      return never(call)
    }
    for (const runtime of kit.launcher.launched) if (runtime.name === 'frail') runtime.die('killed')
    expect(errors(await kit.block(invoke('brave', 't2')))).toEqual([
      'Failed to execute transaction or query(chaincode frail went away before it answered: killed)',
    ])
  })

  it('has its own 30 s; the caller gets the time-out as an answer', async () => {
    const kit = await pair({ slow: (call) => (call.kind === 'init' ? ok() : never(call)) })
    const executed = kit.block(invoke('passthru', 't1', 'invoke', 'slow'))
    await turn()
    await kit.clock.advance(30_000)
    expect(errors(await executed)[0]).toContain('Timeout expired while executing transaction')
  })

  it('does not hold up the batch when it takes too long while the callee is still being started', async () => {
    const kit = await pair()
    const { launcher, clock } = kit
    for (const runtime of launcher.launched) if (runtime.name === 'store') runtime.die('killed')
    launcher.hold = new Promise(() => undefined)
    const executed = kit.block(invoke('passthru', 't1', 'invoke', 'store', 'put', 'k', 'v'))
    await turn()
    await clock.advance(30_000)
    expect(errors(await executed)).toEqual(['Failed to execute transaction or query(Timeout expired while executing transaction)'])
  })

  it('waits for calls that the chaincode did not wait for, so that every validator sees the same writes', async () => {
    const { block, ledger } = await pair({
      hasty: (call) => {
        if (call.kind === 'invoke') void call.invokeChaincode('patient', [bytes('x')])
        return ok()
      },
      patient: async (call) => {
        await turn(3)
        call.state.put(bytes('k'), bytes('v'))
        return ok()
      },
    })
    expect(errors(await block(invoke('hasty', 't1')))).toEqual([undefined])
    expect(ledger.text('patient', 'k')).toBe('v')
  })

  it('cannot reach a system chaincode that must not be called', async () => {
    const { block, peer } = await pair()
    peer.registerSystem('consensus', {}, { callable: false })
    const [executed, deployed] = await block(invoke('passthru', 't1', 'invoke', 'consensus', 'x'), deploy('consensus', ['init'], { code: 'store' }))
    expect(executed?.result.error).toContain('chaincode consensus cannot be called by other chaincodes')
    expect(deployed?.result.error).toContain('deploy attempted but a chaincode with same name running consensus')
    expect(() => peer.registerSystem('consensus', {})).toThrow(PeerError)
  })
})
