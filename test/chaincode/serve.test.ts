import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ChaincodeMessage, ChaincodeMessage_Type as Type, encode } from '../../proto/index.js'
import { runPeer } from '../kernel/cli/run-peer.js'
import { temporaryDirectory } from '../kernel/sites.js'
import { scriptedPeer } from './api/scripted-peer.js'

const EXAMPLE = join(import.meta.dirname, '../../examples/chaincode/example02.ts')
const serve = (address: string) => runPeer(temporaryDirectory(), ['chaincode', 'serve', EXAMPLE, '--name', 'cc', '--peer', address])
const message = (type: Type, payload = '') => encode(ChaincodeMessage, ChaincodeMessage.create({ type, payload: Buffer.from(payload, 'latin1') }))

test('chaincode serve says when it is registered, and why it ended', async () => {
  const peer = await scriptedPeer([{ expect: message(Type.REGISTER, '\x12\x02cc') }, { send: message(Type.REGISTERED) }])
  onTestFinished(() => peer.close())
  const [{ exit, stderr }] = await Promise.all([serve(peer.address), peer.played])
  const [serving, registered, ended, hint, ...rest] = stderr.split('\n')
  expect({ exit, serving, registered, rest }).toEqual({
    exit: 1,
    serving: `cc: serving ${EXAMPLE}; interrupt to stop`,
    registered: `chaincode cc is registered at ${peer.address}`,
    rest: [''],
  })
  expect(ended).toContain(`Error: cc: the stream to the peer at ${peer.address} ended: `)
  expect(hint).toContain('start serve again')
})

test('chaincode serve says why it cannot reach the peer', async () => {
  expect(await serve('127.0.0.1:1')).toMatchObject({
    exit: 1,
    stderr: expect.stringContaining('\n  connection refused: is a peer running at 127.0.0.1:1 (peer.address)?\n'),
  })
})
