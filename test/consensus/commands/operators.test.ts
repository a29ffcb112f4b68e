import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Accepted, EngineFactory, RequestOutcomeReport, SwapPolicy } from '../../../plugins/consensus/index.js'
import { pbft } from '../../../plugins/pbft/engine.js'
import { encode, OperatorSignatures, SwapCancel, SwapProposal } from '../../../proto/index.js'
import { Simulation } from '../../kit/simulation.js'
import { logicalWorld } from '../../kit/worlds.js'
import { raftSkeleton } from '../../simulator/skeletons/raft.js'

const OPTIONS = { 'timeout.request': '1s', 'timeout.viewchange': '1s', 'timeout.batch': '20ms' }
const [alice, bob, carol, stranger] = Array.from({ length: 4 }, () => generateKeyPairSync('ed25519'))
type Operator = typeof alice

const rawKey = (operator: Operator): Uint8Array =>
  new Uint8Array((operator?.publicKey.export({ format: 'der', type: 'spki' }) ?? Buffer.alloc(0)).subarray(-32))
const policy: SwapPolicy = { kind: 'operators', network: 'lab', keys: [alice, bob, carol].map(rawKey), threshold: 2 }

/** What operators sign is fixed: signatures are made on other machines. */
const signed = (call: string, argument: Uint8Array, key: KeyObject): Uint8Array =>
  sign(null, Buffer.concat([Buffer.from(`weft consensus ${call}\n`), argument]), key)
const signatures = (call: string, argument: Uint8Array, ...operators: Operator[]): Uint8Array =>
  encode(OperatorSignatures, {
    signatures: operators.flatMap((operator) => (operator ? [{ key: rawKey(operator), signature: signed(call, argument, operator.privateKey) }] : [])),
  })

/** On trial it orders nothing: a swap to it stays undecided. */
const mute: EngineFactory = { ...raftSkeleton, name: 'mute', create: () => ({}) }

async function started() {
  const network = new Simulation({
    seed: 5,
    members: 4,
    engine: { factory: pbft, options: OPTIONS },
    successors: [raftSkeleton, mute],
    policy,
    ...logicalWorld,
  })
  await network.start()
  const settled = async <T>(work: Promise<T> | undefined): Promise<T> => {
    const box: { value?: T; error?: unknown; isDone: boolean } = { isDone: false }
    work?.then(
      (value) => Object.assign(box, { value, isDone: true }),
      (error: unknown) => Object.assign(box, { error, isDone: true }),
    )
    await network.runUntil('it is settled', () => box.isDone, 20_000)
    if (box.value === undefined) throw box.error
    return box.value
  }
  let at = 0
  /** Each call comes from another validator. */
  const host = () => network.peer(at++ % 4).host
  const outcome = async (accepted: Promise<Accepted> | undefined): Promise<RequestOutcomeReport> => settled(accepted?.then((each) => each.outcome()))
  const proposal = async (engine = raftSkeleton.name): Promise<SwapProposal> => {
    const { proposal: made, objection } = await settled(host()?.swaps.plan({ engine, options: {}, allowWeaker: true }))
    expect(objection).toBeUndefined()
    return made
  }
  return {
    network,
    proposal,
    propose: (made: SwapProposal, given?: Uint8Array) => outcome(host()?.swaps.propose(made, given)),
    cancel: (made: SwapCancel, given?: Uint8Array) => outcome(host()?.swaps.cancel(made, given)),
    /** Every validator has decided alike, and says so. */
    async alike(seen: { readonly epoch: bigint; readonly candidate: boolean }): Promise<void> {
      const heads = () => network.peers.map(({ ledger }) => Buffer.from(ledger?.info().currentBlockHash ?? []).toString('hex'))
      await network.runUntil('all have the same head', () => new Set(heads()).size === 1, 20_000)
      for (const { host: each } of network.peers) {
        const { record, candidate } = each?.swaps.view() ?? {}
        expect({ epoch: record?.epoch, candidate: candidate !== undefined }).toEqual(seen)
      }
      await network.checkAll()
    },
  }
}

it('a swap to options that do not fit the members is refused before it is proposed', async () => {
  const network = new Simulation({ seed: 5, members: 4, engine: { factory: raftSkeleton, options: {} }, successors: [pbft], ...logicalWorld })
  await network.start()
  await expect(network.peer(0).host?.swaps.plan({ engine: 'pbft', options: { f: 2 } })).rejects.toMatchObject({
    code: 'ERR_PBFT_OPTIONS',
    message: expect.stringContaining('f: with 4 in all at most 1 may be faulty; found 2'),
  })
})

describe('under consensus.policy operators', () => {
  it('a swap without enough valid signatures fails on every validator alike', async () => {
    const { proposal, propose, alike } = await started()
    const made = await proposal()
    const bytes = encode(SwapProposal, made)
    const other = encode(SwapProposal, await proposal())
    const broken = Buffer.from(signatures('prepare', bytes, alice, bob))
    broken.writeUInt8(broken.readUInt8(broken.length - 1) ^ 1, broken.length - 1)
    const attempts: readonly (readonly [Uint8Array | undefined, RegExp])[] = [
      [undefined, /expected valid signatures of 2 of 3 operators, found 0/],
      [signatures('prepare', bytes, alice), /found 1/],
      [signatures('prepare', bytes, alice, alice), /found 1/],
      [signatures('prepare', bytes, alice, stranger), /found 1/],
      [signatures('cancel', bytes, alice, bob), /found 0/],
      [signatures('prepare', other, alice, bob), /found 0/],
      [broken, /found 1/],
      [Buffer.from('no signatures'), /the argument of 'prepare' cannot be read/],
    ]
    for (const [given, why] of attempts) {
      expect(await propose(made, given)).toMatchObject({ status: 'rejected', error: expect.stringMatching(why) })
      await alike({ epoch: 0n, candidate: false })
    }
    // Changed after it was signed.
    expect(await propose({ ...made, options: '{"x":1}' }, signatures('prepare', bytes, alice, bob))).toMatchObject({ status: 'rejected' })
    await alike({ epoch: 0n, candidate: false })
  })

  it('signatures hold once: neither a swap nor a cancellation can be repeated, nor carried into another epoch', async () => {
    const { network, proposal, propose, cancel, alike } = await started()
    const first = await proposal(mute.name)
    const late = await proposal()
    const good = signatures('prepare', encode(SwapProposal, first), carol, bob)
    const lateGood = signatures('prepare', encode(SwapProposal, late), alice, carol)
    expect(await propose(first, good)).toMatchObject({ status: 'committed' })
    await alike({ epoch: 0n, candidate: true })
    const cancellation = network.peer(0).host?.swaps.cancellation() ?? SwapCancel.fromPartial({})
    expect(await cancel(cancellation)).toMatchObject({ status: 'rejected', error: expect.stringMatching(/of 3 operators, found 0/) })
    await alike({ epoch: 0n, candidate: true })
    const given = signatures('cancel', encode(SwapCancel, cancellation), alice, bob)
    expect(await cancel(cancellation, given)).toMatchObject({ status: 'committed' })
    await alike({ epoch: 0n, candidate: false })
    expect(await cancel(cancellation, given)).toMatchObject({ status: 'rejected', error: expect.stringMatching(/no swap is under way/) })
    expect(await propose(first, good)).toMatchObject({ status: 'rejected', error: expect.stringMatching(/has seen 1/) })
    await alike({ epoch: 0n, candidate: false })
    const next = await proposal()
    expect(await propose(next, signatures('prepare', encode(SwapProposal, next), alice, bob))).toMatchObject({ status: 'committed' })
    await network.runUntil('everybody is in epoch 1', () => network.peers.every(({ host }) => host?.status().epoch === 1n), 20_000)
    expect(await propose(late, lateGood)).toMatchObject({ status: 'rejected', error: expect.stringMatching(/asked for in epoch 0; this is epoch 1/) })
    await alike({ epoch: 1n, candidate: false })
  })
})
