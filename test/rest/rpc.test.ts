import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { PeerError } from '../../kernel/index.js'
import { type ChaincodeSpec, ChaincodeDeploymentSpec } from '../../proto/index.js'
import type { Accepted } from '../../plugins/consensus/index.js'
import type { Devops } from '../../plugins/devops/index.js'
import { type RpcAnswer } from '../../plugins/rest/rpc/answers.js'
import { answerRpc } from '../../plugins/rest/rpc/methods.js'

/** Devops that remembers what it was asked. */
function recorder(result: () => Promise<Uint8Array> = async () => Buffer.from('89')) {
  const asked: ChaincodeSpec[] = []
  const accepted: Accepted = { id: 'x', duplicate: false, outcome: () => Promise.reject(new Error('not asked')) }
  const devops: Devops = {
    async deploy(spec) {
      if (spec !== undefined) asked.push(spec)
      await result()
      return { txid: 'the-name', accepted, deployment: ChaincodeDeploymentSpec.fromPartial({}) }
    },
    async invoke({ chaincodeSpec }) {
      if (chaincodeSpec !== undefined) asked.push(chaincodeSpec)
      await result()
      return { txid: 'the-txid', accepted }
    },
    async query({ chaincodeSpec }) {
      if (chaincodeSpec !== undefined) asked.push(chaincodeSpec)
      return result()
    },
  }
  return { asked, devops }
}

const send = (body: string | Uint8Array, { isDevelopment = true, devops = recorder().devops } = {}): Promise<RpcAnswer> =>
  answerRpc(Buffer.from(body), { devops: () => devops, isDevelopment })

const QUERY = '"jsonrpc":"2.0","method":"query","params":{"type":1,"chaincodeID":{"name":"c"},"ctorMsg":{"args":["query","a"]}}'

describe('the checks of /chaincode, in their order', () => {
  const rows: readonly (readonly [body: string, status: number, code: number, data: string])[] = [
    ['', 400, -32600, 'Client must supply a payload for chaincode requests.'],
    ['{"id":1}', 400, -32600, 'Missing JSON RPC 2.0 version string.'],
    ['{"id":1,"jsonrpc":null}', 400, -32600, 'Missing JSON RPC 2.0 version string.'],
    ['{"id":1,"jsonrpc":"2"}', 400, -32600, 'Invalid JSON RPC 2.0 version string. Must be 2.0.'],
    ['{"id":1,"jsonrpc":"2.0"}', 400, -32600, 'Missing JSON RPC 2.0 method string.'],
    ['{"id":1,"jsonrpc":"2.0","method":""}', 404, -32601, 'Requested method does not exist.'],
    ['{"id":1,"jsonrpc":"2.0","method":"Query"}', 404, -32601, 'Requested method does not exist.'],
    ['{"id":1,"jsonrpc":"2.0","method":"query"}', 400, -32602, 'Client must supply ChaincodeSpec for chaincode deploy request.'],
    ['{"id":1,"jsonrpc":"2.0","method":"query","params":null}', 400, -32602, 'Client must supply ChaincodeSpec for chaincode deploy request.'],
    ['{"id":1,"jsonrpc":"2.0","method":"query","params":{}}', 200, -32602, 'Payload must contain a ChaincodeID.'],
    ['{"id":1,"jsonrpc":"2.0","method":"query","params":{"chaincodeID":{}}}', 200, -32602, 'Chaincode name may not be blank.'],
    ['{"id":1,"jsonrpc":"2.0","method":"deploy","params":{"chaincodeID":{"path":"p"}}}', 200, -32602, 'Chaincode name may not be blank in development mode.'],
    [
      '{"id":1,"jsonrpc":"2.0","method":"query","params":{"chaincodeID":{"name":"c"}}}',
      200,
      -32602,
      'Payload must contain a CtorMsg with a Chaincode function name.',
    ],
    [
      '{"id":1,"jsonrpc":"2.0","method":"query","params":{"chaincodeID":{"name":"c"},"ctorMsg":{"args":[]}}}',
      200,
      -32602,
      'Payload must contain a CtorMsg with a Chaincode function name.',
    ],
  ]
  test.each(rows)('%s', async (body, status, code, data) => {
    const answered = await send(body)
    expect(answered.status).toBe(status)
    expect(JSON.parse(answered.body)).toMatchObject({ jsonrpc: '2.0', error: { code, data }, id: body === '' ? null : 1 })
    expect(answered.body.endsWith('\n')).toBe(status !== 200)
  })

  it('a deploy in net mode needs a path, not a name', async () => {
    const body = '{"id":1,"jsonrpc":"2.0","method":"deploy","params":{"chaincodeID":{"name":"n"}}}'
    expect((await send(body, { isDevelopment: false })).body).toContain('Chaincode path may not be blank.')
  })
})

describe('what does not parse', () => {
  test.each([
    ['[]', 'json: cannot unmarshal array into Go value of type rest.rpcRequest'],
    ['"x"', 'json: cannot unmarshal string into Go value of type rest.rpcRequest'],
    ['{"method":5,"id":1}', 'json: cannot unmarshal number into Go struct field rpcRequest.method of type string'],
    ['{"params":[],"id":1}', 'json: cannot unmarshal array into Go struct field rpcRequest.params of type protos.ChaincodeSpec'],
    ['{"params":{"type":1.5}}', 'json: cannot unmarshal number 1.5 into Go struct field ChaincodeSpec.params.type of type protos.ChaincodeSpec_Type'],
    ['{"params":{"timeout":2147483648}}', 'json: cannot unmarshal number 2147483648 into Go struct field ChaincodeSpec.params.timeout of type int32'],
    ['{"params":{"chaincodeID":{"name":true}}}', 'json: cannot unmarshal bool into Go struct field ChaincodeID.params.chaincodeID.name of type string'],
    ['{"params":{"ctorMsg":{"args":[1]}}}', 'json: cannot unmarshal number into Go struct field ChaincodeSpec.params.ctorMsg of type string'],
    ['{"params":{"metadata":"a"}}', 'illegal base64 data at input byte 0'],
    ['{"params":{"attributes":[{}]}}', 'json: cannot unmarshal object into Go struct field ChaincodeSpec.params.attributes of type string'],
    ['{"id":true}', 'cannot unmarshal true into Go value of type int64 or string'],
    ['{"id":{ "a": 1}}', 'cannot unmarshal { "a": 1} into Go value of type int64 or string'],
    ['{"id":1e3}', 'cannot unmarshal 1e3 into Go value of type int64 or string'],
    ['{"id":9223372036854775808}', 'cannot unmarshal 9223372036854775808 into Go value of type int64 or string'],
    ['{"method":5,"params":7}', 'json: cannot unmarshal number into Go struct field rpcRequest.method of type string'],
  ])('%s is answered in the words of the original parser', async (body, text) => {
    const answered = await send(body)
    expect(answered.status).toBe(400)
    expect(JSON.parse(answered.body)).toMatchObject({ error: { code: -32700, data: `Error unmarshalling chaincode request payload: ${text}` }, id: null })
  })
})

describe('a request', () => {
  it('has its id echoed exactly: whole numbers of 64 bits, and strings', async () => {
    await fc.assert(
      fc.asyncProperty(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), async (id) => {
        expect((await send(`{${QUERY},"id":${id}}`)).body).toBe(`{"jsonrpc":"2.0","result":{"status":"OK","message":"89"},"id":${id}}`)
      }),
      { numRuns: 30 },
    )
    expect((await send(`{${QUERY},"id":"<ü>"}`)).body).toContain('"id":"\\u003cü\\u003e"')
    expect((await send(`{${QUERY},"id":""}`)).body).toContain('"id":""')
  })

  it('matches member names in any case, passes over unknown ones, and merges repeated objects', async () => {
    const { asked, devops } = recorder()
    const body =
      '{"ID":7,"JsonRPC":"2.0","METHOD":"query","x":[{}],"Params":{"ChaincodeID":{"Name":"c"}},"params":{"ctormsg":{"Function":"query","Args":["a"]}}}'
    expect((await send(body, { devops })).body).toContain('"id":7}')
    expect(asked[0]).toMatchObject({ chaincodeID: { name: 'c' }, ctorMsg: { args: [Buffer.from('query'), Buffer.from('a')] } })
  })

  it('without an id is carried out and answered with nothing, whatever is wrong with it', async () => {
    const { asked, devops } = recorder()
    expect(await send(`{${QUERY}}`, { devops })).toEqual({ status: 200, body: '' })
    expect(asked).toHaveLength(1)
    for (const body of ['{}', 'null', '{"method":"x"}', `{${QUERY},"id":null}`]) expect(await send(body, { devops })).toEqual({ status: 200, body: '' })
  })

  it('passes every member of the specification on', async () => {
    const { asked, devops } = recorder()
    const params =
      '{"type":2,"chaincodeID":{"path":"p","name":"c"},"ctorMsg":{"args":["é"]},"timeout":5,"secureContext":"u","confidentialityLevel":1,"metadata":"/w==","attributes":["x",null]}'
    await send(`{"jsonrpc":"2.0","method":"invoke","params":${params},"id":1}`, { devops })
    expect(asked[0]).toMatchObject({
      type: 2,
      chaincodeID: { path: 'p', name: 'c' },
      timeout: 5,
      secureContext: 'u',
      confidentialityLevel: 1,
      attributes: ['x', ''],
    })
    expect([...(asked[0]?.metadata ?? [])]).toEqual([255])
  })

  it('shows results that are not UTF-8 with a replacement for each byte, and leaves an empty one out', async () => {
    expect((await send(`{${QUERY},"id":1}`, { devops: recorder(async () => Uint8Array.of(0x61, 0xff)).devops })).body).toContain('"message":"a\ufffd"')
    expect((await send(`{${QUERY},"id":1}`, { devops: recorder(async () => new Uint8Array(0)).devops })).body).toBe(
      '{"jsonrpc":"2.0","result":{"status":"OK"},"id":1}',
    )
  })

  it('that fails is answered 200 with the error of its method, and a hint where trying again helps', async () => {
    const busy = () => Promise.reject(new PeerError('ERR_CONSENSUS_OVERLOADED', 'too much', { retryable: true, details: { retryAfterMs: 500 } }))
    for (const [method, code, message] of [
      ['deploy', -32001, 'Deployment failure'],
      ['invoke', -32002, 'Invocation failure'],
      ['query', -32003, 'Query failure'],
    ] as const) {
      const answered = await send(`{${QUERY.replace('"query"', `"${method}"`)},"id":1}`, { devops: recorder(busy).devops })
      expect([answered.status, answered.retryAfter]).toEqual([200, 1])
      const doing = { deploy: 'deploying', invoke: 'invoking', query: 'querying' }[method]
      expect(JSON.parse(answered.body)).toMatchObject({ error: { code, message, data: `Error when ${doing} chaincode: too much` } })
    }
  })
})
