import { gzipSync } from 'node:zlib'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ChaincodeDeploymentSpec, ChaincodeInvocationSpec, ChaincodeSpec, ChaincodeSpec_Type, Transaction_Type, encode } from '../../proto/index.js'
import { attempt } from './chaincode/hostile.js'
import { bytesOf } from './support/client.js'
import { expectHealthy } from './support/health.js'
import { preparePeer, type TestPeer } from './support/peer.js'
import { ROOT } from './support/program.js'
import { submitRaw, transactionBytes, writeRawSite } from './support/raw-submit.js'
import { writeTar } from './support/tar.js'

/** TypeScript chaincode that means harm, deployed as anybody would deploy it. */
const HOSTILE = join(ROOT, 'test/integration/chaincode/hostile.ts')

/** WEFT_SANDBOX=unshare tries the other sandbox. */
const SANDBOX = process.env['WEFT_SANDBOX'] ?? 'auto'

let peer: TestPeer
let name: string
beforeAll(async () => {
  peer = await preparePeer({
    set: { 'chaincode.executetimeout': '1500', 'chaincode.startuptimeout': '4000', 'chaincode.memory': '192', 'chaincode.sandbox': SANDBOX },
  })
  writeRawSite(peer)
  await peer.start()
  const deployed = await peer.client.deployNode(HOSTILE, 'init')
  expect(deployed.outcome, deployed.outcome.rest).toMatchObject({ status: 'committed' })
  name = deployed.name
})
afterEach(() => expectHealthy(peer))
afterAll(() => peer.dispose())

describe('a deployed chaincode', () => {
  test.each(['network', 'files', 'processes'])('finds no %s, where the same attempts would succeed outside of the sandbox', async (what) => {
    expect(await peer.client.query(name, 'try', what)).toBe('')
    expect(await attempt(what)).not.toBe('')
  })

  test.each([
    ['loops for ever', 'loop'],
    ['never settles', 'hang'],
    ['fills its heap', 'heap'],
    ['fills memory outside its heap', 'buffers'],
    ['recurses for ever', 'recursion'],
    ['backtracks for ever in a regular expression', 'regex'],
    ['writes for ever', 'flood'],
    ['reads for ever', 'reads'],
    ['answers with 64 MiB', 'huge answer'],
    ['makes promises for ever', 'promises'],
    ['logs for ever', 'output'],
    ['throws what is no error', 'throw'],
  ])('that %s has its transaction rejected with a text, others are served, and it is started again', { timeout: 240_000 }, async (_, fn) => {
    const invoked = peer.client.invokeAndWait(name, fn)
    expect(await peer.client.query('example02', 'query', 'untouched')).toBe('1000000')
    const { outcome } = await invoked
    expect(outcome).toMatchObject({
      status: 'rejected',
      rest: expect.stringMatching(/^(Failed to execute transaction or query\(|Transaction or query returned with failure: ).{5,}/s),
    })
    expect(await peer.client.query(name, 'ok')).toBe('ok')
  })

  test('that loops in Init is not deployed', { timeout: 240_000 }, async () => {
    const { outcome } = await peer.client.deployNode(HOSTILE, 'loop')
    expect(outcome).toMatchObject({ status: 'rejected', rest: 'Failed to init chaincode(Timeout expired while executing send init message)' })
  })

  test('that queries itself without end is stopped', { timeout: 240_000 }, async () => {
    await expect(peer.client.query(name, 'self', name)).rejects.toThrow('Error:')
  })

  test('that never ends 64 queries at a time hinders nobody else', { timeout: 240_000 }, async () => {
    const queries = Promise.allSettled(Array.from({ length: 64 }, () => peer.client.query(name, 'loop')))
    for (let i = 0; i < 5; i++) await expectHealthy(peer)
    expect((await queries).map(({ status }) => status)).toEqual(Array.from({ length: 64 }, () => 'rejected'))
    expect(await peer.client.query(name, 'ok')).toBe('ok')
  })
})

describe('a code package that nobody packed', () => {
  const manifest = { name: 'package.json', text: '{"name":"chaincode","type":"module","weft":{"api":1}}' }
  const packed = (...files: { name: string; text: string }[]) => gzipSync(writeTar(files))
  const packages: [string, Uint8Array][] = [
    ['nothing', Buffer.alloc(0)],
    ['garbage', Buffer.from('garbage')],
    ['a bomb of 256 MiB', gzipSync(Buffer.alloc(256 * 2 ** 20))],
    ['paths that climb', packed({ name: '../../../../tmp/weft-was-here', text: 'x' }, manifest)],
    ['an absolute path', packed({ name: '/tmp/weft-was-here', text: 'x' }, manifest)],
    ['no program', packed({ name: 'chaincode.mjs', text: 'this is no program' }, manifest)],
    [
      'a program that imports',
      packed({ name: 'chaincode.mjs', text: "import fs from 'node:fs'\nexport default () => fs.writeFileSync('/tmp/weft-was-here', '')" }, manifest),
    ],
    ['a program that exports nothing', packed({ name: 'chaincode.mjs', text: 'globalThis.x = 1' }, manifest)],
    ['a program that loops while it is loaded', packed({ name: 'chaincode.mjs', text: 'for (;;);\nexport default 1' }, manifest)],
    [
      'a program that allocates while it is loaded',
      packed({ name: 'chaincode.mjs', text: 'const all = []\nfor (;;) all.push(new Uint8Array(1e7).fill(1))\nexport default 1' }, manifest),
    ],
    [
      'a program that writes rubbish into its pipe',
      packed({ name: 'chaincode.mjs', text: 'export default (channel) => { for (let i = 0; i < 1000; i++) channel.send(new Uint8Array(i)) }' }, manifest),
    ],
  ]

  test.each(packages)('of %s is rejected with a text', { timeout: 240_000 }, async (what, codePackage) => {
    const chaincodeSpec = ChaincodeSpec.fromPartial({
      type: ChaincodeSpec_Type.NODE,
      chaincodeID: { name: `evil ${what}` },
      ctorMsg: { args: bytesOf(['init']) },
    })
    const payload = encode(ChaincodeDeploymentSpec, ChaincodeDeploymentSpec.fromPartial({ chaincodeSpec, codePackage }))
    const outcome = await submitRaw(peer, transactionBytes(Transaction_Type.CHAINCODE_DEPLOY, `evil ${what}`, payload, `evil ${what}`))
    expect(outcome).toMatchObject({
      status: 'rejected',
      error: expect.stringMatching(/^(Failed to init chaincode\(|Error starting container: |Timeout expired while starting chaincode ).{5,}/s),
    })
  })

  test('transactions that no client library makes are rejected or refused, each with a text', async () => {
    const invocation = encode(
      ChaincodeInvocationSpec,
      ChaincodeInvocationSpec.fromPartial({ chaincodeSpec: { chaincodeID: { name: 'example02' }, ctorMsg: { args: bytesOf(['invoke', 'a', 'b', '1']) } } }),
    )
    const all = [
      transactionBytes(Transaction_Type.CHAINCODE_INVOKE, 'example02', invocation, ''),
      transactionBytes(Transaction_Type.CHAINCODE_INVOKE, 'example02', Buffer.from('rubbish'), 'rubbish payload'),
      transactionBytes(Transaction_Type.CHAINCODE_INVOKE, '', new Uint8Array(0), 'empty payload'),
      transactionBytes(Transaction_Type.CHAINCODE_DEPLOY, 'x', new Uint8Array(0), 'empty deploy'),
      transactionBytes(Transaction_Type.CHAINCODE_DEPLOY, 'example02', invocation, 'example02'),
      transactionBytes(Transaction_Type.CHAINCODE_QUERY, 'example02', invocation, 'a query'),
      transactionBytes(Transaction_Type.CHAINCODE_TERMINATE, 'example02', invocation, 'terminate'),
      Buffer.concat([transactionBytes(Transaction_Type.CHAINCODE_INVOKE, 'example02', invocation, 'type 77'), Buffer.from([0x08, 77])]),
    ]
    for (const bytes of all) expect(await submitRaw(peer, bytes)).toMatchObject({ status: 'rejected', error: expect.stringMatching(/.{10,}/) })
    for (const bytes of [Buffer.from([0xff]), Buffer.alloc(100, 0x0a)])
      await expect(submitRaw(peer, bytes)).rejects.toThrow('expected a serialised transaction')
  })
})
