import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ChaincodeInput, ChaincodeMessage_Type as T, Transaction_Type, decode } from '../../proto/index.js'
import { goChaincodes } from './support/go-chaincodes.js'
import { type GoChaincode, GoShim } from './support/go-shim.js'
import { type TestPeer, preparePeer } from './support/peer.js'
import { ROOT } from './support/program.js'

/** Chaincode with the ORIGINAL Go shim of v0.6, flaws included, against a real peer in development mode (spec/chaincode.md). */
interface Step {
  readonly method: 'deploy' | 'invoke' | 'query'
  readonly chaincode: string
  readonly args: readonly string[]
  readonly rest: { readonly status?: string; readonly message?: string; readonly data?: string }
  readonly committed?: boolean
  readonly blockTransactions?: number
  readonly blockChaincodeEvents?: readonly { readonly chaincodeID?: string; readonly eventName?: string; readonly payload?: string }[]
}
interface Scenario {
  readonly scenario: string
  readonly binaries: Readonly<Record<string, string>>
  readonly steps: readonly Step[]
}

const { scenarios }: { scenarios: Scenario[] } = JSON.parse(readFileSync(join(ROOT, 'test/vectors/chaincode/acceptance.json'), 'utf8'))

let peer: TestPeer
const processes: GoShim[] = []
let names = 0

beforeAll(async () => {
  peer = await preparePeer({ flags: ['--peer-chaincodedev'], set: { 'chaincode.keepalive': '1' } })
  await peer.start()
})
afterEach(() => {
  for (const process of processes.splice(0)) process.kill()
})
afterAll(() => peer.dispose())

const newName = (): string => `go${++names}`

async function run(name: string, chaincode: GoChaincode | undefined): Promise<GoShim> {
  if (chaincode === undefined) throw new Error(`no chaincode for ${name}`)
  const started = await GoShim.start(peer.address, name, chaincode)
  processes.push(started)
  return started
}

/** A chaincode that is deployed, with its process. */
async function deployed(chaincode: GoChaincode | undefined, ...args: string[]): Promise<{ readonly name: string; readonly shim: GoShim }> {
  const name = newName()
  const shim = await run(name, chaincode)
  expect(await peer.client.deployNamed(name, ...(args.length === 0 ? ['init'] : args))).toMatchObject({ status: 'committed' })
  return { name, shim }
}

/** The text with which a query fails. */
async function queryFailure(name: string, ...args: string[]): Promise<string> {
  return peer.client.query(name, ...args).then(
    (result) => `answered ${result}`,
    (error: unknown) => (error instanceof Error && 'details' in error ? String(error.details) : String(error)),
  )
}

const typesOf = (shim: GoShim): string[] => shim.received.map(({ type }) => T[type]).filter((type) => type !== 'KEEPALIVE')

describe('the recorded scenarios', () => {
  const playable = scenarios.filter(({ binaries }) => Object.values(binaries).every((binary) => binary in goChaincodes))

  test('are all but the one that needs the table API', () => {
    expect(scenarios.filter((scenario) => !playable.includes(scenario)).map(({ scenario }) => scenario)).toEqual(['table'])
  })

  test.each(playable.map((each) => [each.scenario, each] as const))('%s gives the recorded answers, blocks and events', async (_name, { binaries, steps }) => {
    for (const [name, binary] of Object.entries(binaries)) await run(name, goChaincodes[binary])
    for (const [index, step] of steps.entries()) await play(step, `step ${index}: ${step.method} ${step.args.join(' ')}`)
  })

  async function play({ method, chaincode, args, rest, committed, blockTransactions, blockChaincodeEvents }: Step, label: string): Promise<void> {
    if (method === 'query') {
      if (rest.status === undefined) expect(`Error when querying chaincode: ${await queryFailure(chaincode, ...args)}`, label).toBe(rest.data)
      else expect(await peer.client.query(chaincode, ...args), label).toBe(rest.message ?? '')
      return
    }
    const { height } = await peer.client.info()
    const outcome = method === 'deploy' ? await peer.client.deployNamed(chaincode, ...args) : (await peer.client.invokeAndWait(chaincode, ...args)).outcome
    expect(outcome, label).toMatchObject({ status: committed ? 'committed' : 'rejected', block: height })
    const block = await peer.client.block(height)
    expect(block.transactions.length, label).toBe(blockTransactions)
    const events = block.nonHashData?.chaincodeEvents.map(({ chaincodeID, eventName, payload }) =>
      chaincodeID === '' ? {} : { chaincodeID, eventName, payload: Buffer.from(payload).toString('base64') },
    )
    expect(events, label).toEqual(blockChaincodeEvents?.map(({ chaincodeID, eventName, payload }) => (chaincodeID ? { chaincodeID, eventName, payload } : {})))
  }
})

describe('what the peer sends', () => {
  test('is INIT, TRANSACTION and QUERY with a security context whose payload is the input, and the time of the transaction', async () => {
    const { name, shim } = await deployed(goChaincodes['chaincode_example02'], 'init', 'a', '1', 'b', '2')
    await peer.client.invokeAndWait(name, 'invoke', 'a', 'b', '1')
    expect(await peer.client.query(name, 'query', 'a')).toBe('0')
    expect(typesOf(shim).join(' ')).toBe('REGISTERED INIT RESPONSE RESPONSE TRANSACTION RESPONSE RESPONSE RESPONSE RESPONSE QUERY RESPONSE')
    for (const { type, payload, securityContext, timestamp } of shim.received) {
      expect(timestamp).toBeUndefined()
      if (type !== T.INIT && type !== T.TRANSACTION && type !== T.QUERY) continue
      expect(Buffer.from(securityContext?.payload ?? []).equals(payload)).toBe(true)
      expect(decode(ChaincodeInput, payload).args.length).toBeGreaterThan(0)
      expect(securityContext?.txTimestamp?.seconds).toBeGreaterThan(1_500_000_000n)
    }
    expect(shim.received.find(({ type }) => type === T.INIT)?.txid).toBe(name)
  })

  test('is READY, and no Init, when the deploy has no arguments', async () => {
    const name = newName()
    const shim = await run(name, { ...example('map'), init: () => Promise.reject(new Error('Init was called')) })
    expect(await peer.client.deployNamed(name)).toMatchObject({ status: 'committed' })
    expect(typesOf(shim)).toEqual(['REGISTERED', 'READY'])
    expect(shim.received.at(-1)).toMatchObject({ txid: name, securityContext: { payload: new Uint8Array(0) } })
    expect((await peer.client.invokeAndWait(name, 'put', 'k', 'v')).outcome.status).toBe('committed')
  })

  test('is nothing for a second deploy of what runs: a transaction in the ledger, and that is all', async () => {
    const { name, shim } = await deployed(goChaincodes['chaincode_example02'], 'init', 'a', '1', 'b', '2')
    await peer.client.invokeAndWait(name, 'invoke', 'a', 'b', '1')
    const sent = typesOf(shim).length
    const outcome = await peer.client.deployNamed(name, 'init', 'a', '100', 'b', '200')
    expect(outcome.status).toBe('committed')
    expect((await peer.client.block(outcome.block)).transactions).toMatchObject([{ txid: name, type: Transaction_Type.CHAINCODE_DEPLOY }])
    expect(typesOf(shim).length).toBe(sent)
    expect(await peer.client.query(name, 'query', 'b')).toBe('3')
  })

  test('is KEEPALIVE after a second of silence, also during an invoke; nothing depends on the echo', async () => {
    const { name, shim } = await deployed({ ...example('map'), invoke: () => silence(shim) })
    expect((await peer.client.invokeAndWait(name, 'wait')).outcome.status).toBe('committed')
    expect(shim.received.at(-1)).toMatchObject({ txid: '', payload: new Uint8Array(0), securityContext: undefined })

    async function silence(process: GoShim): Promise<undefined> {
      const before = process.received.length
      while (!process.received.slice(before).some(({ type }) => type === T.KEEPALIVE)) await new Promise((resolve) => setTimeout(resolve, 50))
      return undefined
    }
  })
})

describe('a process that goes away', () => {
  test('and is started again gets READY with the txid of the next request, and finds its state', async () => {
    const { name, shim } = await deployed(goChaincodes['chaincode_example02'], 'init', 'a', '10', 'b', '0')
    shim.kill()
    await untilGone(name)
    const again = await run(name, goChaincodes['chaincode_example02'])
    const { txid, outcome } = await peer.client.invokeAndWait(name, 'invoke', 'a', 'b', '4')
    expect(outcome.status).toBe('committed')
    expect(again.received.slice(0, 3)).toMatchObject([{ type: T.REGISTERED }, { type: T.READY, txid }, { type: T.TRANSACTION, txid }])
    expect(again.received[1]?.securityContext?.payload.length).toBeGreaterThan(0)
    expect(await peer.client.query(name, 'query', 'a')).toBe('6')
  })

  test('in the middle of a transaction fails it, without its writes; the peer says what is missing until it is started again', async () => {
    const dies: GoChaincode = {
      ...example('map'),
      invoke: async (stub, fn, args) => {
        await stub.putState('written', 'by the dead')
        if (fn === 'die') process.shim?.kill()
        return example('map').invoke(stub, fn, args)
      },
    }
    const process: { shim?: GoShim } = {}
    const { name, shim } = await deployed(dies)
    process.shim = shim
    const { outcome } = await peer.client.invokeAndWait(name, 'die')
    expect(outcome.status).toBe('rejected')
    expect(outcome.rest).toMatch(/^Failed to execute transaction or query\(/)
    const { outcome: without } = await peer.client.invokeAndWait(name, 'put', 'k', 'v')
    expect(without).toMatchObject({
      status: 'rejected',
      rest: `Failed to launch chaincode spec(Failed to init chaincode(handler not found for chaincode ${name}))`,
    })
    expect(await queryFailure(name, 'get', 'k')).toBe(
      `Error:Failed to launch chaincode spec(Failed to init chaincode(handler not found for chaincode ${name}))`,
    )
    await run(name, dies)
    expect(await peer.client.query(name, 'get', 'written')).toBe('')
    expect((await peer.client.invokeAndWait(name, 'put', 'k', 'v')).outcome.status).toBe('committed')
    expect(await peer.client.query(name, 'keys')).toContain('k')
  })

  test('after an ERROR reply, which no Go chaincode survives, costs its transaction alone', async () => {
    const { name, shim } = await deployed({
      ...example('map'),
      invoke: async (stub, fn, args) => {
        if (fn !== 'empty') return example('map').invoke(stub, fn, args)
        // It handles the error and means to succeed. Reads still work; its end does not.
        await stub.putState('k', '').catch((error: unknown) => error)
        await stub.getState('k')
        return 'fine'
      },
    })
    const { txid, outcome } = await peer.client.invokeAndWait(name, 'empty')
    const reason = `[${txid}]Chaincode handler FSM cannot handle message (COMPLETED) with payload size (4) while in state: ready`
    expect(await shim.exited).toBe(reason)
    expect(outcome.status).toBe('rejected')
    // Its last message may be lost with the connection.
    expect(outcome.rest).toMatch(/^(Transaction or query returned with failure: \[|Failed to execute transaction or query\()/)
    await untilGone(name)
    await run(name, example('map'))
    expect((await peer.client.invokeAndWait(name, 'put', 'k', 'v')).outcome.status).toBe('committed')
    expect(await peer.client.query(name, 'get', 'k')).toBe('v')
  })

  test('after an ERROR reply in a query costs that query alone', async () => {
    const { name, shim } = await deployed({
      ...example('map'),
      query: async (stub) => {
        await stub.nextPage('no-such-iterator')
        return 'never'
      },
    })
    expect(await queryFailure(name, 'get', 'k')).toMatch(
      /^Error:(Transaction or query returned with failure: \[.*\]Chaincode handler FSM cannot handle message \(ERROR\)|Failed to execute transaction or query\()/,
    )
    expect(await shim.exited).toContain('cannot handle message (ERROR) with payload size (30) while in state: ready')
    await untilGone(name)
    await run(name, example('map'))
    expect(await peer.client.query(name, 'get', 'k')).toBe('')
  })

  test('because it wrote in a query fails that query, with the texts of v0.6 on the stream', async () => {
    const { name, shim } = await deployed({
      ...example('map'),
      query: async (stub) => {
        await stub.putStateUnchecked('k', 'v')
        return 'written'
      },
    })
    expect(await queryFailure(name, 'get', 'k')).toMatch(/^Error:/)
    const refused = shim.received.find(({ type }) => type === T.ERROR)
    expect(Buffer.from(refused?.payload ?? []).toString()).toBe(`[${refused?.txid}]Cannot handle PUT_STATE in query context`)
    await untilGone(name)
    await run(name, example('map'))
    expect(await peer.client.query(name, 'keys')).toBe('null')
  })

  test('after a failed Init is told so; started again, the same name deploys', async () => {
    const name = newName()
    const shim = await run(name, goChaincodes['passthru'])
    expect(await peer.client.deployNamed(name, 'initerror')).toMatchObject({
      status: 'rejected',
      rest: `Failed to init chaincode(Error initializing container ${name}: initerror)`,
    })
    expect(await shim.exited).toMatch(/^stream ended: 2 Error handling message, ending stream: /)
    expect(await peer.client.deployNamed(name, 'init')).toMatchObject({
      status: 'rejected',
      rest: `Failed to init chaincode(handler not found for chaincode ${name})`,
    })
    await run(name, goChaincodes['passthru'])
    expect((await peer.client.deployNamed(name, 'init')).status).toBe('committed')
  })
})

describe('registration', () => {
  test('of a name that is taken ends the second stream in the words of v0.6, and leaves the first alone', async () => {
    const { name } = await deployed(example('map'))
    const second = await run(name, example('map'))
    expect(await second.exited).toBe(
      `stream ended: 2 Error handling message, ending stream: transition canceled with error: Duplicate chaincodeID error: name:"${name}" `,
    )
    expect(second.received).toEqual([])
    expect(await peer.client.query(name, 'keys')).toBe('null')
  })

  test('without a deploy serves nobody, and the log reminds the developer', async () => {
    const name = newName()
    const logged = peer.program.stderr.length
    const shim = await run(name, example('map'))
    const missing = `Failed to launch chaincode spec(Could not get deployment transaction for ${name} - LedgerError - ResourceNotFound: ledger: resource not found)`
    expect(await queryFailure(name, 'keys')).toBe(`Error:${missing}`)
    expect((await peer.client.invokeAndWait(name, 'put', 'k', 'v')).outcome).toMatchObject({ status: 'rejected', rest: missing })
    expect(typesOf(shim)).toEqual(['REGISTERED'])
    expect(peer.program.stderr.slice(logged)).toMatch(/-> ERRO .*You are attempting to perform an action other than Deploy on Chaincode that is not ready/)
  })
})

describe('calls between chaincodes', () => {
  test('that fail reach the caller as an answer that it survives', async () => {
    const { name, shim } = await deployed(goChaincodes['passthru'])
    const missing = 'Could not get deployment transaction for nobody - LedgerError - ResourceNotFound: ledger: resource not found'
    expect((await peer.client.invokeAndWait(name, 'nobody', 'x')).outcome.rest).toBe(`Transaction or query returned with failure: ${missing}`)
    expect(await queryFailure(name, 'nobody', 'x')).toBe(`Error:Transaction or query returned with failure: ${missing}`)
    const again = await peer.client.invokeAndWait(name, name, 'x')
    expect(again.outcome.rest).toBe(`Transaction or query returned with failure: Error sending TRANSACTION: txid:${again.txid} exists`)
    expect(shim.state).toBe('ready')
  })

  test('that the caller ignores when they fail keep the writes of the callee', async () => {
    const callee = await deployed({
      ...example('map'),
      invoke: async (stub) => {
        await stub.putState('kept', 'yes')
        throw new Error('no')
      },
    })
    const caller = await deployed({
      ...example('map'),
      invoke: async (stub) => {
        const refused = await stub.invokeChaincode(callee.name, ['x']).catch((error: unknown) => error)
        // A query inside the transaction sees committed state only.
        const seen = (await stub.queryChaincode(callee.name, ['get', 'kept'])).toString()
        await stub.putState('saw', `${String(refused)}|${seen}|`)
        return undefined
      },
    })
    expect((await peer.client.invokeAndWait(caller.name, 'go')).outcome.status).toBe('committed')
    expect(await peer.client.query(caller.name, 'get', 'saw')).toBe('Error: no||')
    expect(await peer.client.query(callee.name, 'get', 'kept')).toBe('yes')
  })
})

describe('much at once', () => {
  test('queries are answered beside a running invoke, from committed state', async () => {
    const gate: { open?: () => void } = {}
    const isOpen = new Promise<void>((resolve) => {
      gate.open = resolve
    })
    const { name } = await deployed({
      ...example('map'),
      invoke: async (stub, fn, args) => {
        await example('map').invoke(stub, fn, args)
        if (args[1] === 'slow') await isOpen
        return undefined
      },
    })
    await peer.client.invokeAndWait(name, 'put', 'k', 'before')
    const invoked = peer.client.invokeAndWait(name, 'put', 'k', 'slow')
    const answers = await Promise.all(Array.from({ length: 50 }, () => peer.client.query(name, 'get', 'k')))
    expect(new Set(answers)).toEqual(new Set(['before']))
    gate.open?.()
    expect((await invoked).outcome.status).toBe('committed')
    expect(await peer.client.query(name, 'get', 'k')).toBe('slow')
  })

  test('values of 6 MiB pass both ways', async () => {
    const value = 'v'.repeat(6 * 1024 * 1024)
    const { name } = await deployed(example('map'))
    expect((await peer.client.invokeAndWait(name, 'put', 'k', value)).outcome.status).toBe('committed')
    expect((await peer.client.query(name, 'get', 'k')) === value).toBe(true)
  })

  test('205 rows come as 100, 100 and 5, with a CLOSE that is answered', async () => {
    const { name, shim } = await deployed({
      ...example('largerowsiter'),
      init: async (stub) => {
        for (let row = 0; row < 205; row++) await stub.putState(`row${row}`, 'r')
        return undefined
      },
    })
    const before = shim.received.length
    expect(await peer.client.query(name, 'query', '1000')).toBe('205')
    expect(shim.received.slice(before).map(({ type }) => T[type])).toEqual(['QUERY', 'RESPONSE', 'RESPONSE', 'RESPONSE', 'RESPONSE'])
  })
})

function example(name: string): GoChaincode {
  const chaincode = goChaincodes[name]
  if (chaincode === undefined) throw new Error(`no chaincode ${name}`)
  return chaincode
}

/** Waits until the peer has noticed that a process ended. */
async function untilGone(name: string): Promise<void> {
  await peer.program.until(`${name} is gone`, async () => (await queryFailure(name, 'keys')).includes(`handler not found for chaincode ${name}`))
}
