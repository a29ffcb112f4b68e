import { expect } from 'vitest'
import type { TestPeer } from './peer.js'

/** `peer ledger verify` finds nothing wrong; gives the height that it checked. */
export async function expectSound(peer: TestPeer, ...flags: readonly string[]): Promise<bigint> {
  const { stdout, stderr, code } = await peer.cli('ledger', 'verify', '--json', ...flags)
  expect(code, `${stdout}${stderr}`).toBe(0)
  const result: { height: number; blocksChecked: number; faults: unknown[] } = JSON.parse(stdout)
  expect(result.faults).toEqual([])
  expect(result.blocksChecked).toBe(result.height)
  return BigInt(result.height)
}

/** State hash of the head block, as the peer or its store says. */
export async function ledgerInfo(peer: TestPeer): Promise<{ readonly height: number; readonly currentBlockHash: string; readonly stateHash: string }> {
  const { stdout, stderr, code } = await peer.cli('ledger', 'info', '--json')
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout)
}
