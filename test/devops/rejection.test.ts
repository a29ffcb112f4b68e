import { Metadata, status } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { PeerError } from '../../kernel/index.js'
import { USAGE_AFTER_CALLS } from '../../plugins/grpc/index.js'
import { failedCall, requireCommitted } from '../../plugins/devops/commands/chaincode-command.js'

/** What a command fails with that waited for this rejection. */
function rejected(error: string): PeerError {
  try {
    requireCommitted('cc', { status: 'rejected', block: 3n, error })
  } catch (thrown) {
    if (thrown instanceof PeerError) return thrown
    throw thrown
  }
  return expect.fail('a rejection was taken for success')
}

test('a deploy that is there already keeps the text of v0.6, and a hint says what it means', () => {
  const text = 'Failed to deploy chaincode spec(deploy attempted but a chaincode with same name running cc)'
  expect(rejected(text)).toMatchObject({
    message: `transaction cc was rejected in block 3: ${text}`,
    hint: 'the same code with the same arguments is already deployed under that name: call it, or change the code or the arguments',
  })
})

test('other rejections have no hint', () => {
  expect(rejected('Failed to init chaincode(no)').hint).toBeUndefined()
})

test.each([
  ['an error of v0.6', status.UNKNOWN, true],
  ['a forbidden call', status.PERMISSION_DENIED, false],
  ['a full peer', status.RESOURCE_EXHAUSTED, false],
  ['a peer whose engine is halted', status.UNAVAILABLE, false],
])('%s keeps the form of v0.6; the usage follows where other flags could help', (_what, code, isFollowed) => {
  const { message, code: name } = failedCall('querying', Object.assign(new Error('no'), { code, details: 'why', metadata: new Metadata() }))
  expect([message, USAGE_AFTER_CALLS.test(name)]).toEqual([`Error querying chaincode: rpc error: code = ${code} desc = why\n`, isFollowed])
})
