import { expect } from 'vitest'
import type { TestPeer } from './peer.js'

/** What a peer under attack may take at most. */
export const MAX_MEMORY_MIB = 600

/** The peer lives, answers, orders, executes, commits and takes no more memory than it may. */
export async function expectHealthy(peer: TestPeer): Promise<void> {
  expect(peer.program.isRunning, `the peer ended:\n${peer.program.stderr.slice(-4000)}`).toBe(true)
  expect(await peer.client.status()).toBe('STARTED')
  const before = BigInt(await peer.client.query('example02', 'query', 'healthy'))
  const { outcome } = await peer.client.invokeAndWait('example02', 'invoke', 'check', 'healthy', '1')
  expect(outcome.status).toBe('committed')
  expect(BigInt(await peer.client.query('example02', 'query', 'healthy'))).toBe(before + 1n)
  expect(peer.memoryMiB()).toBeLessThan(MAX_MEMORY_MIB)
}
