import { describe, expect, it } from 'vitest'
import {
  type ChaincodeEvent,
  ChaincodeMessage,
  ChaincodeMessage_Type as T,
  ChaincodeSpec,
  ChaincodeSpec_Type,
  PutStateInfo,
  RangeQueryState,
  RangeQueryStateNext,
  RangeQueryStateResponse,
  decode,
  encode,
} from '../../../proto/index.js'
import { type StreamState, transition } from '../../../plugins/chaincode/peer/stream/fsm.js'
import { type Bench, bench, bytes, deploy, invoke, query, specOf, text, turn } from './kit.js'
import { ScriptedStream } from './scripted-stream.js'

const put = (key: string, value: string) => encode(PutStateInfo, { key: bytes(key), value: bytes(value) })
const range = (startKey = '', endKey = '') => encode(RangeQueryState, { startKey: bytes(startKey), endKey: bytes(endKey) })
const callOf = (name: string, ...args: string[]) => encode(ChaincodeSpec, specOf(name, args, { type: ChaincodeSpec_Type.UNDEFINED }))

/** A dev-mode peer with a chaincode `cc` that is deployed and ready. */
async function connected(name = 'cc', kit: Bench = bench({}, { mode: 'dev' })) {
  const stream = new ScriptedStream(kit)
  stream.register(name)
  const { bytes: deployment } = deploy(name, [])
  await kit.block(deploy(name, []))
  kit.ledger.transactions.set(name, deployment)
  stream.take()
  return { ...kit, kit, stream }
}

describe('the state machine of the peer', () => {
  const fits: Readonly<Record<StreamState, readonly string[]>> = {
    created: ['REGISTER established'],
    established: ['INIT init', 'READY ready'],
    init: [
      'COMPLETED ready',
      'ERROR end',
      'GET_STATE init',
      'PUT_STATE busyinit',
      'DEL_STATE busyinit',
      'INVOKE_CHAINCODE busyinit',
      'RANGE_QUERY_STATE init',
      'RANGE_QUERY_STATE_NEXT init',
      'RANGE_QUERY_STATE_CLOSE init',
    ],
    busyinit: [
      'ERROR init',
      'GET_STATE busyinit',
      'RESPONSE init',
      'RANGE_QUERY_STATE busyinit',
      'RANGE_QUERY_STATE_NEXT busyinit',
      'RANGE_QUERY_STATE_CLOSE busyinit',
    ],
    ready: [
      'TRANSACTION transaction',
      'COMPLETED ready',
      'GET_STATE ready',
      'RANGE_QUERY_STATE ready',
      'RANGE_QUERY_STATE_NEXT ready',
      'RANGE_QUERY_STATE_CLOSE ready',
    ],
    transaction: [
      'COMPLETED ready',
      'ERROR ready',
      'GET_STATE transaction',
      'PUT_STATE busyxact',
      'DEL_STATE busyxact',
      'INVOKE_CHAINCODE busyxact',
      'RANGE_QUERY_STATE transaction',
      'RANGE_QUERY_STATE_NEXT transaction',
      'RANGE_QUERY_STATE_CLOSE transaction',
    ],
    busyxact: [
      'ERROR transaction',
      'GET_STATE busyxact',
      'RESPONSE transaction',
      'RANGE_QUERY_STATE busyxact',
      'RANGE_QUERY_STATE_NEXT busyxact',
      'RANGE_QUERY_STATE_CLOSE busyxact',
    ],
    end: [],
  }
  const types = Object.values(T).filter((type): type is T => typeof type === 'number')
  const states = ['created', 'established', 'init', 'busyinit', 'ready', 'transaction', 'busyxact', 'end'] as const

  it.each(states)('has exactly the transitions of v0.6 in %s', (state) => {
    const found = types.flatMap((type) => {
      const next = transition(state, type)
      return next === undefined ? [] : [`${T[type]} ${next}`]
    })
    expect(found.sort()).toEqual([...fits[state]].sort())
  })
})

describe('a stream that sends what does not fit', () => {
  it.each([
    ['COMPLETED before REGISTER', T.COMPLETED, 'COMPLETED', 'created'],
    ['GET_STATE before REGISTER', T.GET_STATE, 'GET_STATE', 'created'],
    ['a type of the peer: READY', T.READY, 'READY', 'created'],
    ['a type of the peer: RESPONSE', T.RESPONSE, 'RESPONSE', 'created'],
    ['UNDEFINED', T.UNDEFINED, 'UNDEFINED', 'created'],
  ])('is ended with the text of v0.6: %s', (_what, type, name, state) => {
    const stream = new ScriptedStream(bench({}, { mode: 'dev' }))
    stream.say(type, 'tx', 'abc')
    expect(stream.ended).toEqual({
      status: 2,
      message: `Error handling message, ending stream: [tx]Chaincode handler validator FSM cannot handle message (${name}) with payload size (3) while in state: ${state}`,
    })
  })

  it('cannot move the peer with a message of the peer', async () => {
    const { stream } = await connected()
    stream.say(T.TRANSACTION, 'tx')
    expect(stream.ended?.message).toContain('cannot handle message (TRANSACTION) with payload size (0) while in state: ready')
  })

  it('is ended for a second REGISTER, and for an ERROR out of nowhere', async () => {
    const first = await connected()
    first.stream.register('other')
    expect(first.stream.ended?.message).toContain('cannot handle message (REGISTER)')
    const second = await connected()
    second.stream.say(T.ERROR, 'tx', 'oh')
    expect(second.stream.ended?.message).toContain('cannot handle message (ERROR) with payload size (2) while in state: ready')
    expect(second.peer.running()).toEqual([])
  })

  it('gets ERROR and is ended for a write in a query', async () => {
    const { stream, peer } = await connected()
    const answer = expect(peer.query(query('cc', 'q1'))).rejects.toThrow('went away')
    await turn()
    stream.take()
    stream.say(T.PUT_STATE, 'q1', put('a', '1'))
    expect(stream.take()).toEqual(['ERROR q1 [q1]Cannot handle PUT_STATE in query context'])
    expect(stream.ended).toEqual({ status: 2, message: 'Error handling message, ending stream: [q1]Cannot handle PUT_STATE in query context' })
    await answer
  })

  it('gets ERROR only, while a transaction runs, for a write of what is not that transaction', async () => {
    const { stream, block } = await connected()
    const executed = block(invoke('cc', 't1'))
    await turn()
    stream.take()
    stream.say(T.DEL_STATE, 'other', 'a')
    expect(stream.take()).toEqual(['ERROR other Cannot handle DEL_STATE in query context'])
    stream.say(T.COMPLETED, 't1')
    expect((await executed)[0]?.result.error).toBeUndefined()
  })
})

describe('registration', () => {
  it('refuses a name that a live stream has, and leaves that stream alone', async () => {
    const { kit, stream, peer } = await connected('mycc')
    const second = new ScriptedStream(kit)
    second.register('mycc')
    expect(second.ended).toEqual({
      status: 2,
      message: 'Error handling message, ending stream: transition canceled with error: Duplicate chaincodeID error: name:"mycc" ',
    })
    expect(stream.ended).toBeUndefined()
    expect(peer.running()).toEqual(['mycc'])
    stream.stream.gone('process killed')
    expect(peer.running()).toEqual([])
  })

  it('refuses names that the peer did not launch outside dev mode, unusable names and undecodable ones', () => {
    const kit = bench()
    const strangers = new ScriptedStream(kit, { mayRegister: (name) => kit.peer.whyNotRegister(name) })
    strangers.register('cc')
    expect(strangers.ended?.message).toBe(
      'Error handling message, ending stream: transition canceled with error: chaincode cc was not launched by this peer, and chaincode.mode is net',
    )
    const nameless = new ScriptedStream(kit)
    nameless.register('')
    expect(nameless.ended?.message).toContain('not a chaincode name: ""')
    const rubbish = new ScriptedStream(kit)
    rubbish.say(T.REGISTER, '', '\u0007rubbish')
    expect(rubbish.ended?.message).toContain('transition canceled with error: cannot decode')
  })

  it('keeps the names of system chaincodes, in dev mode too', () => {
    const kit = bench({}, { mode: 'dev' })
    kit.peer.registerSystem('noop', {})
    const stream = new ScriptedStream(kit, { mayRegister: (name) => kit.peer.whyNotRegister(name) })
    stream.register('noop')
    expect(stream.ended?.message).toContain('belongs to a system chaincode')
  })

  it('has to come within a time', async () => {
    const kit = bench({}, { mode: 'dev' })
    const stream = new ScriptedStream(kit)
    await kit.clock.advance(30_000)
    expect(stream.ended?.message).toContain('no REGISTER within 30000 ms')
    const quick = new ScriptedStream(kit)
    quick.register('cc')
    await kit.clock.advance(60_000)
    expect(quick.ended).toBeUndefined()
  })
})

describe('dev mode', () => {
  it('treats the deploy of a running chaincode as a success that does nothing', async () => {
    const { stream, block } = await connected()
    const [executed] = await block(deploy('cc', ['init', 'a']))
    expect(executed?.result.error).toBeUndefined()
    expect(stream.take()).toEqual([])
  })

  it('fails until the user starts the chaincode again', async () => {
    const { kit, stream, block } = await connected()
    stream.stream.halfClosed()
    expect(stream.ended).toEqual({ status: 11, message: 'EOF' })
    const [executed] = await block(invoke('cc', 't1'))
    expect(executed?.result.error).toBe('Failed to launch chaincode spec(Failed to init chaincode(handler not found for chaincode cc))')
    const again = new ScriptedStream(kit)
    again.register('cc')
    const next = block(invoke('cc', 't2', 'x'))
    await turn()
    expect(again.take()).toEqual(['REGISTERED', 'READY t2', 'TRANSACTION t2 \n\u0001x'])
    again.say(T.COMPLETED, 't2')
    expect((await next)[0]?.result.error).toBeUndefined()
  })

  it('fails the deploy of a chaincode that nobody started', async () => {
    const { block } = bench({}, { mode: 'dev' })
    expect((await block(deploy('cc', ['init'])))[0]?.result.error).toBe('Failed to init chaincode(handler not found for chaincode cc)')
  })

  it('fails a transaction at once when the stream ends, without a second try', async () => {
    const { stream, block } = await connected()
    const executed = block(invoke('cc', 't1'))
    await turn()
    stream.stream.gone('connection reset')
    expect((await executed)[0]?.result.error).toBe('Failed to execute transaction or query(chaincode cc went away before it answered: connection reset)')
  })

  it("takes an ERROR for a running query as that query's failure", async () => {
    const { stream, peer } = await connected()
    const answer = expect(peer.query(query('cc', 'q1'))).rejects.toThrow('Transaction or query returned with failure: cannot handle message')
    await turn()
    stream.say(T.ERROR, 'q1', 'cannot handle message')
    await answer
    expect(stream.ended).toBeUndefined()
  })

  it('sends QUERY and TRANSACTION only after READY when both arrive at once', async () => {
    const { kit, stream, peer, ledger } = await connected()
    stream.stream.gone('restart')
    const again = new ScriptedStream(kit)
    again.register('cc')
    const answers = [peer.query(query('cc', 'q1')), peer.query(query('cc', 'q2'))]
    const executed = peer.execute(ledger.openBatch(), [invoke('cc', 't1')])
    await turn()
    const sent = again.take().map((line) => line.trim())
    expect(sent[1]).toMatch(/^READY (q1|q2|t1)$/)
    expect(sent.slice(2).sort()).toEqual(['QUERY q1', 'QUERY q2', 'TRANSACTION t1'])
    for (const txid of ['q1', 'q2']) again.say(T.QUERY_COMPLETED, txid)
    again.say(T.COMPLETED, 't1')
    await Promise.all([...answers, executed])
  })
})

describe('requests on a stream', () => {
  it('get the event that rides on COMPLETED or ERROR', async () => {
    const { stream, block } = await connected()
    const executed = block(invoke('cc', 't1'))
    await turn()
    stream.say(T.ERROR, 't1', 'no', { chaincodeEvent: { chaincodeID: 'forged', txID: 'forged', eventName: 'e', payload: bytes('p') } satisfies ChaincodeEvent })
    expect((await executed)[0]?.result).toEqual({
      txid: 't1',
      error: 'Transaction or query returned with failure: no',
      event: { chaincodeID: 'cc', txID: 't1', eventName: 'e', payload: bytes('p') },
    })
  })

  it('of one transaction are answered in the order of arrival, also behind a slow one', async () => {
    const { stream, block } = await connected()
    const executed = block(invoke('cc', 't1'))
    await turn()
    stream.take()
    stream.say(T.RANGE_QUERY_STATE, 't1', range())
    stream.say(T.PUT_STATE, 't1', put('a', '1'))
    stream.say(T.GET_STATE, 't1', 'a')
    await turn()
    const [first, second, third] = [stream.next(), stream.next(), stream.next()]
    expect(decode(RangeQueryStateResponse, first?.payload ?? bytes(''))).toEqual({ keysAndValues: [], hasMore: false, ID: 'an-id' })
    expect(second?.payload).toEqual(bytes(''))
    expect(text(third?.payload ?? bytes(''))).toBe('1')
    stream.say(T.COMPLETED, 't1')
    await executed
  })

  it('come in pages of 100; NEXT for an unknown id is an error, CLOSE never is', async () => {
    const { stream, peer, ledger } = await connected()
    for (let index = 0; index < 205; index++) ledger.seed('cc', { [`k${index}`]: 'v' })
    const answer = peer.query(query('cc', 'q1'))
    await turn()
    stream.take()
    const page = async (type: T, payload: Uint8Array) => {
      stream.say(type, 'q1', payload)
      await turn()
      const { keysAndValues, hasMore, ID } = decode(RangeQueryStateResponse, stream.next()?.payload ?? bytes(''))
      return [keysAndValues.length, hasMore, ID]
    }
    const id = encode(RangeQueryStateNext, { ID: 'an-id' })
    expect(await page(T.RANGE_QUERY_STATE, range())).toEqual([100, true, 'an-id'])
    expect(await page(T.RANGE_QUERY_STATE_NEXT, id)).toEqual([100, true, 'an-id'])
    expect(await page(T.RANGE_QUERY_STATE_NEXT, id)).toEqual([5, false, 'an-id'])
    expect(await page(T.RANGE_QUERY_STATE_CLOSE, id)).toEqual([0, false, 'an-id'])
    stream.say(T.RANGE_QUERY_STATE_NEXT, 'q1', id)
    await turn()
    expect(stream.take()).toEqual(['ERROR q1 Range query iterator not found'])
    stream.say(T.QUERY_COMPLETED, 'q1')
    await answer
    expect(ledger.openViews).toBe(0)
  })

  it('that cannot be decoded are answered with ERROR', async () => {
    const { stream, block } = await connected()
    const executed = block(invoke('cc', 't1'))
    await turn()
    stream.take()
    for (const type of [T.PUT_STATE, T.RANGE_QUERY_STATE, T.INVOKE_CHAINCODE, T.INVOKE_QUERY]) {
      stream.say(type, 't1', '\u0007rubbish')
      await turn()
      expect(stream.take()[0]).toMatch(/^ERROR t1 cannot decode/)
    }
    stream.say(T.COMPLETED, 't1')
    expect((await executed)[0]?.result.error).toBeUndefined()
  })

  it('for a transaction or query that has ended are refused, and write nothing', async () => {
    const { stream, block, ledger } = await connected()
    const executed = block(invoke('cc', 't1'))
    await turn()
    stream.take()
    stream.say(T.COMPLETED, 't1')
    await executed
    stream.say(T.GET_STATE, 't1', 'a')
    expect(stream.take()).toEqual(['ERROR t1 [t1]Cannot handle GET_STATE: no such transaction or query is running'])
    stream.say(T.PUT_STATE, 't1', put('late', '1'))
    expect(stream.ended?.message).toContain('[t1]Cannot handle PUT_STATE in query context')
    expect(ledger.text('cc', 'late')).toBeUndefined()
  })

  it('that flood a transaction end the stream', async () => {
    const { kit, stream, block } = await connected()
    const callee = new ScriptedStream(kit)
    callee.register('callee')
    await block(deploy('callee', []))
    const executed = block(invoke('cc', 't1'))
    await turn()
    stream.say(T.INVOKE_CHAINCODE, 't1', callOf('callee', 'x'))
    for (let index = 0; index < 65; index++) stream.say(T.GET_STATE, 't1', 'a')
    expect(stream.ended?.message).toContain('more than 64 requests of one transaction are waiting')
    callee.say(T.COMPLETED, 't1')
    await turn()
    callee.say(T.COMPLETED, 't1')
    expect((await executed)[0]?.result.error).toContain('went away before it answered')
  })

  it('to other chaincodes are answered with the whole message of the called one', async () => {
    const { kit, stream, block } = await connected()
    const callee = new ScriptedStream(kit)
    callee.register('callee')
    await block(deploy('callee', []))
    callee.take()
    const executed = block(invoke('cc', 't1'))
    await turn()
    stream.take()
    stream.say(T.INVOKE_CHAINCODE, 't1', callOf('callee', 'x'))
    await turn()
    expect(callee.take()).toEqual(['TRANSACTION t1 \n\u0001x'])
    callee.say(T.ERROR, 't1', 'not today')
    await turn()
    const response = stream.next()
    expect(response?.type).toBe(T.RESPONSE)
    expect(decode(ChaincodeMessage, response?.payload ?? bytes(''))).toMatchObject({ type: T.ERROR, txid: 't1', payload: bytes('not today') })
    stream.say(T.COMPLETED, 't1')
    expect((await executed)[0]?.result.error).toBeUndefined()
  })

  it('COMPLETED in the middle of a call to another chaincode ends the stream', async () => {
    const { kit, stream, block } = await connected()
    const callee = new ScriptedStream(kit)
    callee.register('callee')
    await block(deploy('callee', []))
    const executed = block(invoke('cc', 't1'))
    await turn()
    stream.say(T.INVOKE_CHAINCODE, 't1', callOf('callee', 'x'))
    await turn()
    stream.say(T.COMPLETED, 't1')
    expect(stream.ended?.message).toContain('cannot handle message (COMPLETED) with payload size (0) while in state: busyxact')
    callee.say(T.COMPLETED, 't1')
    expect((await executed)[0]?.result.error).toContain('went away')
  })

  it('a query never takes the txid of a transaction that runs', async () => {
    const { stream, block, peer } = await connected()
    const executed = block(invoke('cc', 'same'))
    await turn()
    await expect(peer.query(query('cc', 'same'))).rejects.toThrow('Failed to execute transaction or query(Error sending QUERY: txid:same exists)')
    stream.say(T.COMPLETED, 'same')
    expect((await executed)[0]?.result.error).toBeUndefined()
    const answer = expect(peer.query(query('cc', 'twice'))).rejects.toThrow('Error sending QUERY: txid:twice exists')
    const second = block(invoke('cc', 'twice'))
    await turn()
    stream.say(T.COMPLETED, 'twice')
    expect((await second)[0]?.result.error).toBeUndefined()
    await answer
  })
})

describe('keepalive', () => {
  it('is sent after idle time only, and never by default', async () => {
    const kit = bench({}, { mode: 'dev' })
    const stream = new ScriptedStream(kit, { keepaliveMs: 2000, registerTimeoutMs: 1e9 })
    stream.register('cc')
    stream.take()
    await kit.clock.advance(1500)
    stream.say(T.KEEPALIVE)
    await kit.clock.advance(1500)
    expect(stream.take()).toEqual([])
    await kit.clock.advance(500)
    expect(stream.take()).toEqual(['KEEPALIVE'])
    stream.stream.gone('bye')
    await kit.clock.advance(10_000)
    expect(stream.take()).toEqual([])
    expect(kit.clock.pendingTimers).toBe(0)
  })
})

describe('a query that takes too long', () => {
  it('fails, and costs nobody the chaincode, which only its user could start again; late requests and answers are ignored', async () => {
    const { stream, peer, clock, block } = await connected()
    const refused = expect(peer.query(query('cc', 'q1'))).rejects.toThrow('Timeout expired while executing transaction')
    await turn()
    await clock.advance(30_000)
    await refused
    stream.take()
    stream.say(T.GET_STATE, 'q1', bytes('a'))
    expect(stream.take()).toEqual([expect.stringMatching(/^ERROR q1 /)])
    stream.say(T.QUERY_COMPLETED, 'q1', bytes('late'))
    const executed = block(invoke('cc', 't1'))
    await turn()
    stream.say(T.COMPLETED, 't1', bytes(''))
    expect((await executed).map(({ result }) => result.error)).toEqual([undefined])
  })
})
