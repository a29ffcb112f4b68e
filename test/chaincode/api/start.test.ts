import { afterEach, describe, expect, it } from 'vitest'
import eventSender from '../../../examples/chaincode/event-sender.js'
import example02 from '../../../examples/chaincode/example02.js'
import map from '../../../examples/chaincode/map.js'
import table from '../../../examples/chaincode/table.js'
import { type Chaincode, start } from '../../../plugins/chaincode/api/index.js'
import { resolveConnection } from '../../../plugins/chaincode/api/options.js'
import { ChaincodeMessage, ChaincodeMessage_Type as Type, encode } from '../../../proto/index.js'
import { type Line, linesOf, type ScriptedPeer, scriptedPeer } from './scripted-peer.js'
import { sessions } from './vectors.js'

const peers: ScriptedPeer[] = []
afterEach(() => {
  for (const peer of peers.splice(0)) peer.close()
})

const message = (type: Type, txid = '', payload = '') =>
  encode(ChaincodeMessage, ChaincodeMessage.create({ type, txid, payload: Buffer.from(payload, 'latin1') }))
const REGISTERED: Line[] = [{ expect: message(Type.REGISTER, '', '\x12\x02cc') }, { send: message(Type.REGISTERED) }]

/** Serves a chaincode to a peer that plays the lines; both must be content. */
async function play(chaincode: Chaincode, lines: readonly Line[], name = 'cc'): Promise<void> {
  const peer = await scriptedPeer(lines)
  peers.push(peer)
  const serving = start(chaincode, { peer: peer.address, name, log: () => undefined })
  await Promise.all([peer.played, expect(serving).rejects.toThrow('ended')])
}

describe('a chaincode over the stream of v0.6', () => {
  it.each([
    ['devmode-example02', 'ex02', example02],
    ['ready-after-reregistration', 'mycc', example02],
    ['events', 'ev', eventSender],
    ['map', 'map', map],
    ['table-api', 'table_test', table],
  ] satisfies [string, string, Chaincode][])('sends the messages of the recorded session %s', async (id, name, chaincode) => {
    const session = sessions().find((candidate) => candidate.id === id)
    const lines = linesOf((session?.messages ?? []).filter(({ stream }) => stream === 1))
    expect(lines.length).toBeGreaterThan(5)
    await play(chaincode, lines, name)
  })

  it('tells once when the peer has accepted its name', async () => {
    let told = 0
    const peer = await scriptedPeer([...REGISTERED, { send: message(Type.KEEPALIVE) }, { expect: message(Type.KEEPALIVE) }])
    peers.push(peer)
    const serving = start({ invoke: () => undefined }, { peer: peer.address, name: 'cc', log: () => undefined, onRegistered: () => void told++ })
    await Promise.all([peer.played, expect(serving).rejects.toThrow('ended')])
    expect(told).toBe(1)
  })

  it('echoes KEEPALIVE, also while a transaction runs', async () => {
    await play({ invoke: (stub) => stub.getState('k') }, [
      ...REGISTERED,
      { send: message(Type.KEEPALIVE) },
      { expect: message(Type.KEEPALIVE) },
      { send: message(Type.READY, 't1') },
      { send: message(Type.TRANSACTION, 't1', '\n\x01f') },
      { expect: message(Type.GET_STATE, 't1', 'k') },
      { send: message(Type.KEEPALIVE) },
      { expect: message(Type.KEEPALIVE) },
      { send: message(Type.RESPONSE, 't1', 'v') },
      { expect: message(Type.COMPLETED, 't1', 'v') },
    ])
  })

  it('stays in its transaction after an ERROR reply and completes it', async () => {
    const forgiving: Chaincode = {
      async invoke(stub) {
        await expect(stub.getState('a')).rejects.toThrow('no such luck')
        return stub.getState('b')
      },
    }
    await play(forgiving, [
      ...REGISTERED,
      { send: message(Type.READY, 't1') },
      { send: message(Type.TRANSACTION, 't1', '\n\x01f') },
      { expect: message(Type.GET_STATE, 't1', 'a') },
      { send: message(Type.ERROR, 't1', 'no such luck') },
      { expect: message(Type.GET_STATE, 't1', 'b') },
      { send: message(Type.RESPONSE, 't1', 'v') },
      { expect: message(Type.COMPLETED, 't1', 'v') },
      { send: message(Type.TRANSACTION, 't2', '\n\x01f') },
      { expect: message(Type.GET_STATE, 't2', 'a') },
    ])
  })

  it('has one request of a transaction on its way, while a query goes on beside it', async () => {
    const reading: Chaincode = {
      invoke: async (stub) => (await Promise.all([stub.getState('a'), stub.getState('b')])).map((value) => Buffer.from(value ?? []).toString()).join(),
      query: (stub) => stub.getState('q'),
    }
    await play(reading, [
      ...REGISTERED,
      { send: message(Type.READY, 't1') },
      { send: message(Type.TRANSACTION, 't1', '\n\x01f') },
      { expect: message(Type.GET_STATE, 't1', 'a') },
      { send: message(Type.QUERY, 't2', '\n\x01f') },
      { expect: message(Type.GET_STATE, 't2', 'q') },
      { send: message(Type.RESPONSE, 't2', 'Q') },
      { expect: message(Type.QUERY_COMPLETED, 't2', 'Q') },
      { send: message(Type.RESPONSE, 't1', 'A') },
      { expect: message(Type.GET_STATE, 't1', 'b') },
      { send: message(Type.RESPONSE, 't1', 'B') },
      { expect: message(Type.COMPLETED, 't1', 'A,B') },
    ])
  })

  it('answers what does not fit its state as v0.6 does, and ends', async () => {
    const text = '[t1]Chaincode handler FSM cannot handle message (TRANSACTION) with payload size (3) while in state: established'
    await play({ invoke: () => undefined }, [...REGISTERED, { send: message(Type.TRANSACTION, 't1', '\n\x01f') }, { expect: message(Type.ERROR, 't1', text) }])
  })
})

describe('the connection of a chaincode', () => {
  it('comes from the flag, then the environment', () => {
    const environment = { CORE_PEER_ADDRESS: 'env:1', CORE_CHAINCODE_ID_NAME: 'cc', CORE_PEER_TLS_ENABLED: 'true', CORE_PEER_TLS_CERT_FILE: '/c.pem' }
    expect(resolveConnection({}, ['-peer.address=flag:1'], environment)).toEqual({ peer: 'flag:1', name: 'cc', tls: { enabled: true, certFile: '/c.pem' } })
    expect(resolveConnection({}, ['--peer.address', 'flag:2'], environment).peer).toBe('flag:2')
    expect(resolveConnection({}, [], environment).peer).toBe('env:1')
  })

  it('trusts the authority rather than the certificate, and shows what the environment names', () => {
    const environment = {
      CORE_PEER_TLS_ENABLED: 'T',
      CORE_PEER_TLS_CERT_FILE: '/c.pem',
      CORE_PEER_TLS_ROOTCERT_FILE: '/ca.pem',
      CORE_PEER_TLS_CLIENTCERT_FILE: '/client.pem',
      CORE_PEER_TLS_CLIENTKEY_FILE: '/client.key',
      CORE_PEER_TLS_SERVERHOSTOVERRIDE: '',
    }
    const tls = { enabled: true, certFile: '/ca.pem', clientCertFile: '/client.pem', clientKeyFile: '/client.key' }
    expect(resolveConnection({ peer: 'p:1', name: 'cc' }, [], environment).tls).toEqual(tls)
  })

  it('is refused without address or name, as v0.6 refuses it', () => {
    expect(() => resolveConnection({}, [], {})).toThrow("peer.address not configured, can't connect to peer")
    expect(() => resolveConnection({ peer: 'p:1' }, [], {})).toThrow('Error chaincode id not provided')
  })

  it('that cannot be made is an error which names the address', async () => {
    await expect(start({ invoke: () => undefined }, { peer: '127.0.0.1:1', name: 'cc', dialTimeoutMs: 50 })).rejects.toThrow(
      'cannot reach the peer at 127.0.0.1:1',
    )
  })
})
