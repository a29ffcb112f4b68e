import { Metadata } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { PeerError } from '../../kernel/index.js'
import { GrpcCommand } from '../../plugins/grpc/index.js'

class AskCommand extends GrpcCommand {
  protected async run(): Promise<void> {}
  /** What this command would print of an error. */
  says(error: unknown): unknown {
    return this.failure(error)
  }
}

test('a command prints a failed call in the words of the peer, and other errors as they are', () => {
  const failed = Object.assign(new Error('14 UNAVAILABLE: gone'), { code: 14, details: 'gone', metadata: new Metadata() })
  expect(new AskCommand().says(failed)).toMatchObject({
    code: 'ERR_RPC',
    message: 'gone',
    cause: failed,
    details: { grpcStatus: 14, grpcStatusName: 'UNAVAILABLE' },
  })
  const other = new PeerError('ERR_LOOM', 'no thread')
  expect(new AskCommand().says(other)).toBe(other)
})
