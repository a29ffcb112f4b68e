import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startPeer } from './support/peer.js'

const rawKey = (key: KeyObject): string => key.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex')

it('operators sign a swap one after the other, on any machine; too few, a repetition and a forged file are refused', async () => {
  const operators = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')]
  const keys = operators.map(({ publicKey }) => rawKey(publicKey)).join(',')
  const peer = await startPeer({ set: { 'consensus.policy': 'operators', 'consensus.operators.keys': keys, 'consensus.operators.threshold': '2' } })
  const file = (name: string): string => join(peer.directory, name)
  for (const [index, { privateKey }] of operators.entries()) writeFileSync(file(`operator${index}.pem`), privateKey.export({ format: 'pem', type: 'pkcs8' }))

  const unsigned = await peer.cli('consensus', 'set', 'block.size=7', '--no-wait')
  expect([unsigned.code, unsigned.stderr]).toEqual([1, expect.stringContaining('expected valid signatures of 2 of 2 operators, found 0')])
  const written = await peer.cli('consensus', 'set', 'block.size=9', '--out', file('swap.json'), '--key', file('operator0.pem'))
  expect([written.code, written.stdout]).toEqual([
    0,
    expect.stringMatching(
      /^written to .*: in network dev: proposal [0-9a-f]{16}, from epoch 0 to noops 1\.0\.0 with options \{.*"block\.size":9.*; 1 signature\n$/,
    ),
  ])
  const early = await peer.cli('consensus', 'swap', '--plan', file('swap.json'))
  expect([early.code, early.stderr]).toEqual([1, expect.stringContaining('found 1')])
  const signed = await peer.cli('consensus', 'sign', file('swap.json'), '--key', file('operator1.pem'))
  expect([signed.code, signed.stdout]).toEqual([0, expect.stringMatching(/"block\.size":9.*; 2 signatures\n$/)])

  const forged = JSON.parse(readFileSync(file('swap.json'), 'utf8'))
  writeFileSync(file('forged.json'), JSON.stringify({ ...forged, about: String(forged.about).replace(':9', ':500') }))
  const noticed = await peer.cli('consensus', 'sign', file('forged.json'), '--key', file('operator1.pem'))
  expect([noticed.code, noticed.stderr]).toEqual([1, expect.stringMatching(/says of itself '.*"block\.size":500.*', but asks for this: .*"block\.size":9/)])

  const swapped = await peer.cli('consensus', 'swap', '--plan', file('swap.json'))
  expect([swapped.code, swapped.stdout]).toEqual([0, expect.stringMatching(/^epoch 1: noops 1\.0\.0 orders since block \d+\n$/)])
  const again = await peer.cli('consensus', 'swap', '--plan', file('swap.json'))
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('asked for in epoch 0; this is epoch 1')])
})

it('under peer.validator.compatibility v0.6 the engine stays, and every command says why', async () => {
  const peer = await startPeer({ flags: ['--peer-chaincodedev'], set: { 'peer.validator.compatibility': 'v0.6' } })
  for (const args of [
    ['swap', 'pbft'],
    ['set', 'block.size=9'],
    ['recover', 'pbft'],
  ]) {
    const { code, stderr } = await peer.cli('consensus', ...args)
    expect([code, stderr]).toEqual([1, expect.stringContaining('the consensus engine of this network cannot be changed: peer.validator.compatibility is v0.6')])
  }
  expect((await peer.cli('consensus', 'restart-engine')).code).toBe(0)
  expect((await peer.client.info()).height).toBe(1n)
})
