import { describe, expect, it } from 'vitest'
import { createInProcessRuntime } from '../../../plugins/chaincode/api/in-process.js'
import { enabledSystemChaincodes } from '../../../plugins/chaincode/system/enabled.js'
import { bench, deploy, invoke, query, text } from './kit.js'

const errors = (executed: readonly { readonly result: { readonly error?: string } }[]) => executed.map(({ result }) => result.error)

function withSystem(whitelist: Record<string, string>, compatibility: 'weft' | 'v0.6' = 'weft', mode: 'net' | 'dev' = 'net') {
  const kit = bench({}, { compatibility, mode }, { inProcess: (name, chaincode) => createInProcessRuntime(name, chaincode) })
  for (const { name, chaincode } of enabledSystemChaincodes(whitelist, compatibility, kit.ledger)) kit.peer.registerSystem(name, chaincode)
  return kit
}

describe('system chaincodes', () => {
  it('run when the site enables them, with any of the three words', () => {
    expect(withSystem({ noop: 'enable', example02: 'yes' }).peer.running()).toEqual(['example02', 'noop'])
    expect(withSystem({ noop: 'true', example02: 'no' }).peer.running()).toEqual(['noop'])
    expect(withSystem({ noop: 'true', example02: 'enable' }, 'v0.6').peer.running()).toEqual(['noop'])
    expect(() => withSystem({ nope: 'enable' })).toThrow('expected one of noop, example02, found nope')
  })

  it('noop keeps data on the chain and reads it back', async () => {
    const { block, peer } = withSystem({ noop: 'enable' })
    expect(errors(await block(invoke('noop', 't1', 'some data'), invoke('noop', 't2', 'a', 'b'), invoke('noop', 't3', '')))).toEqual([
      undefined,
      'Transaction or query returned with failure: Noop execute operation must have one single argument.',
      'Transaction or query returned with failure: Noop execute operation must have one single argument.',
    ])
    expect(text(await peer.query(query('noop', 'q1', 'getTran', 't1')))).toBe('some data')
    await expect(peer.query(query('noop', 'q2', 'getTran', 'unknown'))).rejects.toThrow('LedgerError - ResourceNotFound: ledger: resource not found')
    await expect(peer.query(query('noop', 'q3', 'other'))).rejects.toThrow('Unsupported operation')
  })

  it('example02 opens accounts with 1,000,000 and writes nothing before a transfer', async () => {
    const { block, peer, ledger } = withSystem({ example02: 'enable' })
    const balance = async (name: string) => text(await peer.query(query('example02', `q ${name}`, 'query', name)))
    expect(await balance('a')).toBe('1000000')
    expect(ledger.text('example02', 'a')).toBeUndefined()
    expect(errors(await block(invoke('example02', 't1', 'invoke', 'a', 'b', '10')))).toEqual([undefined])
    expect([await balance('a'), await balance('b')]).toEqual(['999990', '1000010'])
    await block(invoke('example02', 't2', 'delete', 'a'))
    await expect(balance('a')).rejects.toThrow('{"Error":"Nil amount for a"}')
    expect(errors(await block(invoke('example02', 't3', 'invoke', 'a', 'b', '10'), invoke('example02', 't4', 'invoke', 'b', 'c', 'ten')))).toEqual([
      'Transaction or query returned with failure: Entity not found',
      'Transaction or query returned with failure: Invalid transaction amount, expecting a integer value',
    ])
  })

  it('cannot be deployed over', async () => {
    const { block } = withSystem({ noop: 'enable' })
    expect(errors(await block(deploy('noop', ['init'])))).toEqual([
      'Failed to deploy chaincode spec(deploy attempted but a chaincode with same name running noop)',
    ])
  })

  it('are started again after they were ended, in dev mode too', async () => {
    const { block, peer } = withSystem({ noop: 'enable' }, 'weft', 'dev')
    await peer.stop('test')
    expect(peer.running()).toEqual([])
    expect(errors(await block(invoke('noop', 't1', 'x')))).toEqual([undefined])
  })
})
