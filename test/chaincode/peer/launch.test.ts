import { describe, expect, it } from 'vitest'
import { PeerError } from '../../../kernel/index.js'
import { ChaincodeDeploymentSpec_ExecutionEnvironment, ChaincodeSpec_Type, Transaction_Type } from '../../../proto/index.js'
import { UNKNOWN_CHAINCODE_TYPE, specOf, bench, bytes, deploy, failed, invoke, ok, ordered, query, text, transactionOf, turn, type Script } from './kit.js'

const errors = (executed: readonly { readonly result: { readonly error?: string } }[]) => executed.map(({ result }) => result.error)
const never: Script = () => new Promise(() => undefined)
const put: Script = (call) => {
  call.state.put(bytes('k'), bytes(call.txid))
  return ok()
}

describe('the launch decision', () => {
  it('launches deployed code again from the ledger after a restart, and sends READY before the call', async () => {
    const { block, ledger, launcher } = bench({ cc: put })
    await block(deploy('cc', ['init']))
    const restarted = bench({ cc: put })
    for (const [txid, stored] of ledger.transactions) restarted.ledger.transactions.set(txid, stored)
    expect(errors(await restarted.block(invoke('cc', 't1')))).toEqual([undefined])
    expect(restarted.launcher.latest.readied).toEqual(['t1'])
    expect(launcher.latest.readied).toEqual([])
  })

  it('finds the code again when a later transaction has the name of the chaincode as its txid, and still refuses the name', async () => {
    const { block, peer } = bench({ cc: put })
    await block(deploy('cc', ['init']))
    await block(invoke('cc', 'cc'))
    await peer.stop('restart')
    expect(errors(await block(invoke('cc', 't1'), deploy('cc', ['init'])))).toEqual([
      undefined,
      'Failed to deploy chaincode spec(deploy attempted but a chaincode with same name running cc)',
    ])
  })

  it('fails for a chaincode that was never deployed, with the text of v0.6', async () => {
    const { block, peer } = bench()
    const missing = 'Failed to launch chaincode spec(Could not get deployment transaction for cc - LedgerError - ResourceNotFound: ledger: resource not found)'
    expect(errors(await block(invoke('cc', 't1')))).toEqual([missing])
    await expect(peer.query(query('cc', 'q1'))).rejects.toThrow(missing)
  })

  it('fails if the transaction of that name is no deploy', async () => {
    const { block, ledger } = bench()
    ledger.transactions.set('cc', invoke('other', 'cc').bytes)
    expect(errors(await block(invoke('cc', 't1')))).toEqual(['Failed to launch chaincode spec(deployment transaction does not exist for cc)'])
  })

  it('launches once for everybody who asks at the same time', async () => {
    const { ledger, peer, launcher } = bench({ cc: () => ok('hello') })
    ledger.transactions.set('cc', deploy('cc', ['init']).bytes)
    const batch = ledger.openBatch()
    const all = await Promise.all([peer.query(query('cc', 'q1')), peer.query(query('cc', 'q2')), peer.execute(batch, [invoke('cc', 't1')])])
    expect(launcher.launched).toHaveLength(1)
    expect(launcher.latest.readied).toHaveLength(1)
    expect(errors(all[2])).toEqual([undefined])
  })

  it('refuses a query while the deploy of its chaincode is being launched', async () => {
    const { ledger, peer, launcher } = bench({ cc: put })
    let go = () => {}
    launcher.hold = new Promise((resolve) => (go = resolve))
    const deploying = peer.execute(ledger.openBatch(), [deploy('cc', ['init'])])
    await turn()
    await expect(peer.query(query('cc', 'q1'))).rejects.toThrow('Failed to launch chaincode spec(premature execution - chaincode (cc) is being launched)')
    go()
    expect(errors(await deploying)).toEqual([undefined])
  })

  it('lets a query that arrives during Init wait for its end', async () => {
    let go = () => {}
    const { ledger, peer } = bench({ cc: (call) => (call.kind === 'init' ? new Promise((resolve) => (go = () => resolve(ok()))) : ok('answer')) })
    const deploying = peer.execute(ledger.openBatch(), [deploy('cc', ['init'])])
    await turn()
    const answer = peer.query(query('cc', 'q1'))
    await turn()
    go()
    expect(text(await answer)).toBe('answer')
    await deploying
  })

  it('drops a chaincode whose Init failed, with its writes, and says why', async () => {
    const { block, ledger, launcher, peer } = bench({
      cc: (call) => {
        call.state.put(bytes('k'), bytes('v'))
        return failed('no luck')
      },
    })
    expect(errors(await block(deploy('cc', ['init'])))).toEqual(['Failed to init chaincode(Error initializing container cc: no luck)'])
    expect(ledger.text('cc', 'k')).toBeUndefined()
    expect(peer.running()).toEqual([])
    expect(launcher.latest.closedBecause).toContain('no luck')
  })

  it('ends an Init that takes longer than the start-up limit', async () => {
    const { block, clock, peer } = bench({ cc: never })
    const executed = block(deploy('cc', ['init']))
    await turn()
    await clock.advance(300_000)
    expect(errors(await executed)).toEqual(['Failed to init chaincode(Timeout expired while executing send init message)'])
    expect(peer.running()).toEqual([])
    expect(clock.pendingTimers).toBe(0)
  })

  it('gives up a start that takes longer than the start-up limit, and ends what comes too late', async () => {
    const { block, clock, launcher, peer } = bench({ cc: put })
    let go = () => {}
    launcher.hold = new Promise((resolve) => (go = resolve))
    const executed = block(deploy('cc', ['init']))
    await turn()
    await clock.advance(300_000)
    await clock.advance(300_000)
    expect(errors(await executed)).toEqual(['Timeout expired while starting chaincode cc(networkid:dev,peerid:jdoe,tx:cc)'])
    go()
    await turn()
    expect(launcher.launched.every(({ closedBecause }) => closedBecause === 'started too late')).toBe(true)
    expect(peer.running()).toEqual([])
  })
})

describe('deploying', () => {
  it('refuses a name that is deployed already, also when it does not run here', async () => {
    const { block, peer } = bench({ cc: put })
    await block(deploy('cc', ['init']))
    const refused = ['Failed to deploy chaincode spec(deploy attempted but a chaincode with same name running cc)']
    expect(errors(await block(deploy('cc', ['init'])))).toEqual(refused)
    await peer.stop('restart')
    expect(errors(await block(deploy('cc', ['init'])))).toEqual(refused)
  })

  it('refuses a second deploy of a name within one batch', async () => {
    const { block } = bench({ cc: put })
    expect(errors(await block(deploy('cc', ['init']), deploy('cc', ['init'])))[1]).toContain('deploy attempted but a chaincode with same name running cc')
  })

  it('accepts a name again after a failed deploy', async () => {
    let isBroken = true
    const { block } = bench({ cc: () => (isBroken ? failed('no') : ok()) })
    expect(errors(await block(deploy('cc', ['init'])))[0]).toContain('Failed to init chaincode')
    isBroken = false
    expect(errors(await block(deploy('cc', ['init'])))).toEqual([undefined])
  })

  it('forgets a chaincode whose deploy was rolled back', async () => {
    const { ledger, peer, block, launcher } = bench({ cc: put })
    await peer.execute(ledger.openBatch(), [deploy('cc', ['init'])])
    expect(errors(await block(invoke('cc', 't1')))[0]).toContain('Could not get deployment transaction for cc')
    expect(launcher.latest.closedBecause).toBe('its deploy was rolled back')
    expect(errors(await block(deploy('cc', ['init']), invoke('cc', 't2')))).toEqual([undefined, undefined])
  })

  it('refuses languages that this peer cannot run, and those that do not exist', async () => {
    const { block, peer } = bench()
    const executed = await block(
      deploy('a', ['x'], { type: ChaincodeSpec_Type.GOLANG }),
      deploy('b', ['x'], { type: ChaincodeSpec_Type.UNDEFINED }),
      deploy('c', ['x'], { type: UNKNOWN_CHAINCODE_TYPE }),
    )
    expect(errors(executed)).toEqual([
      'Failed to deploy chaincode spec(this peer cannot run chaincode of type GOLANG: chaincode.launcher is none)',
      'Failed to deploy chaincode spec(Unknown chaincodeType: UNDEFINED)',
      'Failed to deploy chaincode spec(Unknown chaincodeType: 7)',
    ])
    expect(peer.running()).toEqual([])
  })

  it('knows no TypeScript chaincode under v0.6 compatibility', async () => {
    const { block, peer } = bench({ cc: put }, { compatibility: 'v0.6' })
    expect(errors(await block(deploy('cc', ['init'])))).toEqual(['Failed to deploy chaincode spec(Unknown chaincodeType: NODE)'])
    await expect(peer.build(specOf('', ['init']))).rejects.toThrow('Failed to determine platform type: Unknown chaincodeType: NODE')
  })

  it('refuses a txid that is not the name, system chaincode in a transaction, and names that break state keys', async () => {
    const { block } = bench({ cc: put })
    const { transaction } = deploy('cc', ['init'])
    const [first, second, third] = errors(
      await block(
        ordered({ ...transaction, txid: 'other' }),
        deploy('cc', ['init'], { execEnv: ChaincodeDeploymentSpec_ExecutionEnvironment.SYSTEM }),
        deploy('c\0c', ['init'], { code: 'cc' }),
      ),
    )
    expect(first).toContain("the txid of a deploy must be the chaincode's name cc, found other")
    expect(second).toContain('system chaincodes are part of the peer')
    expect(third).toContain('cannot contain the byte 00')
  })
})

describe('a chaincode that goes away', () => {
  it('is started again, and the transaction tried once more', async () => {
    let lives = 0
    const { block, launcher, ledger } = bench({
      cc: (call) => {
        if (call.kind === 'init') return ok()
        call.state.put(bytes(`life${lives}`), bytes('x'))
        if (lives++ === 0) launcher.latest.die('out of memory')
        return lives === 1 ? never(call) : ok()
      },
    })
    expect(errors(await block(deploy('cc', ['init']), invoke('cc', 't1')))).toEqual([undefined, undefined])
    expect(launcher.launched).toHaveLength(2)
    expect(ledger.text('cc', 'life0')).toBeUndefined()
    expect(ledger.text('cc', 'life1')).toBe('x')
  })

  it('fails the transaction when it goes away twice', async () => {
    const { block, launcher } = bench({
      cc: (call) => {
        if (call.kind === 'init') return ok()
        launcher.latest.die('out of memory')
        return never(call)
      },
    })
    expect(errors(await block(deploy('cc', ['init']), invoke('cc', 't1')))[1]).toBe(
      'Failed to execute transaction or query(chaincode cc went away before it answered: out of memory)',
    )
    expect(launcher.launched).toHaveLength(2)
  })

  it('is tried once more during Init, in a query and in the start itself', async () => {
    let deaths = 0
    const { block, launcher, peer } = bench({
      cc: (call) => {
        const dies = (call.kind === 'init' && deaths === 0) || (call.kind === 'query' && deaths === 1)
        if (!dies) return ok('alive')
        deaths++
        launcher.latest.die('killed')
        return never(call)
      },
    })
    launcher.failures = []
    expect(errors(await block(deploy('cc', ['init'])))).toEqual([undefined])
    expect(text(await peer.query(query('cc', 'q')))).toBe('alive')
    launcher.latest.die('killed')
    launcher.failures = [new PeerError('ERR_CHAINCODE_LAUNCH', 'no memory')]
    expect(errors(await block(invoke('cc', 't1')))).toEqual([undefined])
    launcher.latest.die('killed')
    launcher.failures = [new Error('no memory'), new Error('still none')]
    expect(errors(await block(invoke('cc', 't2')))).toEqual(['Failed to launch chaincode spec(Error starting container: still none)'])
  })
})

describe('time limits', () => {
  it('fail a transaction after 30 s, drop its writes and end the chaincode, which is started anew for the next', async () => {
    let stuck = true
    const { block, clock, launcher, ledger } = bench({
      cc: (call) => {
        if (call.kind === 'init') return ok()
        call.state.put(bytes(call.txid), bytes('x'))
        return stuck ? never(call) : ok()
      },
    })
    await block(deploy('cc', ['init']))
    const executed = block(invoke('cc', 't1'))
    await turn()
    await clock.advance(30_000)
    expect(errors(await executed)).toEqual(['Failed to execute transaction or query(Timeout expired while executing transaction)'])
    expect(launcher.latest.closedBecause).toContain('Timeout expired')
    expect(() => launcher.latest.calls[1]?.state.put(bytes('late'), bytes('x'))).toThrow('has ended')
    stuck = false
    expect(errors(await block(invoke('cc', 't2')))).toEqual([undefined])
    expect(launcher.launched).toHaveLength(2)
    expect([ledger.text('cc', 't1'), ledger.text('cc', 't2')]).toEqual([undefined, 'x'])
  })

  it('are a local fault while queries keep the chaincode busy: the transaction is tried once more, without them', async () => {
    let asked = 0
    const { block, clock, launcher, peer } = bench({
      cc: (call) => {
        if (call.kind === 'query') return asked++ === 0 ? never(call) : ok('late answer')
        return call.kind === 'invoke' && launcher.launched.length === 1 ? never(call) : ok()
      },
    })
    await block(deploy('cc', ['init']))
    const executed = block(invoke('cc', 't1'))
    await turn()
    await clock.advance(10_000)
    const looping = peer.query(query('cc', 'q1'))
    await turn()
    await clock.advance(20_000)
    expect(errors(await executed)).toEqual([undefined])
    expect(launcher.launched).toHaveLength(2)
    expect(text(await looping)).toBe('late answer')
  })

  it('fail a query after 30 s', async () => {
    const { block, clock, peer, ledger } = bench({ cc: (call) => (call.kind === 'query' ? never(call) : ok()) })
    await block(deploy('cc', ['init']))
    const answer = peer.query(query('cc', 'q1'))
    const refused = expect(answer).rejects.toThrow('Failed to execute transaction or query(Timeout expired while executing transaction)')
    await turn()
    await clock.advance(30_000)
    await refused
    expect(ledger.openViews).toBe(0)
  })
})

describe('queries', () => {
  it('are refused with RESOURCE_EXHAUSTED beyond the limit, and accepted again when one has ended', async () => {
    const answers: (() => void)[] = []
    const { block, peer } = bench({ cc: (call) => (call.kind === 'query' ? new Promise((resolve) => answers.push(() => resolve(ok('x')))) : ok()) })
    await block(deploy('cc', ['init']))
    const running = [1, 2, 3, 4].map((number) => peer.query(query('cc', `q${number}`)))
    await turn()
    await expect(peer.query(query('cc', 'q5'))).rejects.toMatchObject({ code: 'ERR_CHAINCODE_BUSY', grpcStatus: 8, retryable: true })
    for (const answer of answers) answer()
    await Promise.all(running)
    const last = peer.query(query('cc', 'q6'))
    await turn()
    answers.at(-1)?.()
    expect(text(await last)).toBe('x')
  })

  it("answer a failure with the chaincode's text", async () => {
    const { block, peer } = bench({ cc: (call) => (call.kind === 'query' ? failed('Nil amount') : ok()) })
    await block(deploy('cc', ['init']))
    await expect(peer.query(query('cc', 'q'))).rejects.toThrow('Transaction or query returned with failure: Nil amount')
    await expect(peer.query(transactionOf(Transaction_Type.CHAINCODE_INVOKE, 'q', 'cc', bytes('')))).rejects.toThrow(
      'Invalid transaction type CHAINCODE_INVOKE',
    )
  })
})

describe('packaging', () => {
  const spec = (type: ChaincodeSpec_Type, path: string, args: string[]) => specOf('', args, { type, chaincodeID: { path, name: '' } })
  const { GOLANG, NODE, UNDEFINED } = ChaincodeSpec_Type

  it('names the package and keeps the specification', async () => {
    const { peer } = bench()
    const built = await peer.build(spec(NODE, 'dir', ['init']))
    expect(built).toMatchObject({ chaincodeSpec: { chaincodeID: { path: 'dir', name: 'name-of-dir' } }, codePackage: bytes('dir'), execEnv: 0 })
  })

  it('refuses what v0.6 refuses, with its texts', async () => {
    const { peer } = bench()
    await expect(peer.build(spec(NODE, '', ['init']))).rejects.toThrow(
      'Error getting chaincode package bytes: Cannot generate hashcode from empty chaincode path',
    )
    await expect(peer.build(spec(NODE, 'dir', []))).rejects.toThrow('Error getting chaincode package bytes: Cannot generate hashcode from empty ctor')
    await expect(peer.build(spec(GOLANG, 'dir', ['init']))).rejects.toThrow('this peer cannot run chaincode of type GOLANG: chaincode.launcher is none')
    await expect(peer.build(spec(UNDEFINED, 'dir', ['init']))).rejects.toThrow('Failed to determine platform type: Unknown chaincodeType: UNDEFINED')
  })

  it('returns the specification as it is in dev mode', async () => {
    const { peer } = bench({}, { mode: 'dev' })
    const given = { ...spec(GOLANG, '', []), chaincodeID: { path: '', name: 'mycc' } }
    expect(await peer.build(given)).toEqual({ chaincodeSpec: given, effectiveDate: undefined, codePackage: bytes(''), execEnv: 0 })
  })
})
