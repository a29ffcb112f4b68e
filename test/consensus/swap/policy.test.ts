import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { encode, OperatorSignatures, SwapProposal, SwapCancel } from '../../../proto/index.js'
import { BufferedState, callSuccession, candidateId, Refusal, type SwapPolicy } from '../../../plugins/consensus/index.js'
import { objection, signedBytes } from '../../../plugins/consensus/swap/policy.js'
import { policyOf } from '../../../plugins/consensus/swap/rules.js'
import { proposalOf, recordIn, rulesAt } from './contract-check.js'

interface Operator {
  readonly key: Uint8Array
  readonly privateKey: KeyObject
}

function operator(): Operator {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  return { key: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32), privateKey }
}

const OPERATORS = [operator(), operator(), operator()] as const
const STRANGER = operator()
const POLICY: SwapPolicy = { kind: 'operators', network: 'lab', keys: OPERATORS.map(({ key }) => key), threshold: 2 }
const PROPOSAL = encode(SwapProposal, proposalOf(0n, 0, { network: 'lab' }))

function signatures(call: string, argument: Uint8Array, ...by: readonly Operator[]): Uint8Array {
  return encode(OperatorSignatures, { signatures: by.map(({ key, privateKey }) => ({ key, signature: sign(null, signedBytes(call, argument), privateKey) })) })
}

describe('consensus.policy: operators', () => {
  const [first, second, third] = OPERATORS

  it('is met by as many operators as the threshold, in any order', () => {
    expect(objection(POLICY, 'prepare', 'lab', PROPOSAL, signatures('prepare', PROPOSAL, third, first))).toBeUndefined()
    expect(objection(POLICY, 'prepare', 'lab', PROPOSAL, signatures('prepare', PROPOSAL, first, second, third))).toBeUndefined()
    expect(objection({ kind: 'doors' }, 'prepare', '', PROPOSAL, new Uint8Array(0))).toBeUndefined()
  })

  it.each([
    ['nobody', () => new Uint8Array(0), 0],
    ['too few', () => signatures('prepare', PROPOSAL, first), 1],
    ['one key twice', () => signatures('prepare', PROPOSAL, first, first), 1],
    ['a key that is not listed', () => signatures('prepare', PROPOSAL, first, STRANGER), 1],
    ['signatures of another call', () => signatures('cancel', PROPOSAL, first, second), 0],
    ['signatures of another proposal', () => signatures('prepare', encode(SwapProposal, proposalOf(0n, 1, { network: 'lab' })), first, second), 0],
    [
      'a listed key with another signature',
      () =>
        encode(OperatorSignatures, {
          signatures: [
            { key: first.key, signature: Buffer.alloc(64) },
            { key: second.key, signature: new Uint8Array(0) },
          ],
        }),
      0,
    ],
    ['64 strangers before the operators', () => signatures('prepare', PROPOSAL, ...Array.from({ length: 64 }, () => STRANGER), first, second), 0],
  ])('is not met by %s', (_, given, found) => {
    expect(objection(POLICY, 'prepare', 'lab', PROPOSAL, given())).toBe(
      `consensus.policy is operators: expected valid signatures of 2 of 3 operators, found ${found}`,
    )
  })

  it('is asked at execution: bytes that are no signatures refuse the call, and so does a replay in a later epoch', async () => {
    const state = new BufferedState()
    const rules = rulesAt(() => 5n, { policy: POLICY })
    const signed = signatures('prepare', PROPOSAL, first, second)
    await expect(callSuccession(rules, state, 'prepare', [PROPOSAL, Buffer.from([255])])).rejects.toThrow(Refusal)
    await callSuccession(rules, state, 'prepare', [PROPOSAL, signed])
    const cancel = encode(SwapCancel, SwapCancel.fromPartial({ candidate: candidateId(PROPOSAL), byOperator: true, network: 'lab' }))
    await expect(callSuccession(rules, state, 'cancel', [cancel])).rejects.toThrow('found 0')
    await callSuccession(rules, state, 'cancel', [cancel, signatures('cancel', cancel, second, third)])
    await expect(callSuccession(rules, state, 'prepare', [PROPOSAL, signed])).rejects.toThrow('proposal 0 of an epoch that has seen 1')
    expect(recordIn(state)).toBeUndefined()
  })

  it('allows nothing that was signed for another network with the same operators, or for none', async () => {
    const rules = rulesAt(() => 5n, { policy: POLICY })
    for (const network of ['prod', '']) {
      const elsewhere = encode(SwapProposal, proposalOf(0n, 0, { network }))
      const signed = signatures('prepare', elsewhere, first, second)
      await expect(callSuccession(rules, new BufferedState(), 'prepare', [elsewhere, signed])).rejects.toThrow(
        `a call for network '${network}'; expected one for 'lab'`,
      )
    }
    const state = new BufferedState()
    await callSuccession(rules, state, 'prepare', [PROPOSAL, signatures('prepare', PROPOSAL, first, second)])
    const cancel = encode(SwapCancel, SwapCancel.fromPartial({ candidate: candidateId(PROPOSAL), byOperator: true, network: 'prod' }))
    await expect(callSuccession(rules, state, 'cancel', [cancel, signatures('cancel', cancel, first, second)])).rejects.toThrow("expected one for 'lab'")
  })

  it('is read from the site: keys are keys, and the threshold can be reached', () => {
    const settings = (keys: string[], threshold: number): Parameters<typeof policyOf>[0] => ({
      'consensus.policy': 'operators',
      'consensus.operators.keys': keys,
      'consensus.operators.threshold': threshold,
    })
    const key = 'ab'.repeat(32)
    expect(policyOf(settings([key], 1), 'lab')).toMatchObject({ kind: 'operators', network: 'lab', threshold: 1 })
    expect(() => policyOf(settings(['no key'], 1), 'lab')).toThrow('expected 64 hex digits')
    expect(() => policyOf(settings([key, key.toUpperCase()], 2), 'lab')).toThrow('has 1 different keys')
    expect(policyOf({ ...settings([], 1), 'consensus.policy': 'doors' }, 'lab')).toEqual({ kind: 'doors' })
  })
})
