import { status } from '@grpc/grpc-js'
import { expect } from 'vitest'
import type { Outcome } from './client.js'
import type { TestPeer } from './peer.js'
import { pause } from './program.js'

/** What a peer under attack may take at most. */
export const MAX_MEMORY_MIB = 600

/** Once it takes transactions: what floods it may fill it for a moment, and who is refused then is told to come again. */
async function invoked(peer: TestPeer): Promise<{ readonly outcome: Outcome }> {
  for (;;) {
    try {
      return await peer.client.invokeAndWait('example02', 'invoke', 'check', 'healthy', '1')
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === status.RESOURCE_EXHAUSTED)) throw error
      await pause(100)
    }
  }
}

/** The peer lives, answers, orders, executes, commits and takes no more memory than it may. */
export async function expectHealthy(peer: TestPeer): Promise<void> {
  expect(peer.program.isRunning, `the peer ended:\n${peer.program.stderr.slice(-4000)}`).toBe(true)
  expect(await peer.client.status()).toBe('STARTED')
  const before = BigInt(await peer.client.query('example02', 'query', 'healthy'))
  const { outcome } = await invoked(peer)
  expect(outcome.status).toBe('committed')
  expect(BigInt(await peer.client.query('example02', 'query', 'healthy'))).toBe(before + 1n)
  expect(peer.memoryMiB()).toBeLessThan(MAX_MEMORY_MIB)
}
