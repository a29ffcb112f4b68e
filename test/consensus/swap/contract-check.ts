import {
  BlockchainInfo,
  encode,
  encodeBlock,
  EpochBlockMetadata,
  EpochMarker,
  EpochRecord,
  decode,
  SwapCancel,
  SwapCandidate,
  SwapProposal,
  SwapReady,
} from '../../../proto/index.js'
import {
  BufferedState,
  callSuccession,
  candidateId,
  type ContractRules,
  type EngineFactory,
  Refusal,
  succession,
  SUCCESSION_KEYS,
} from '../../../plugins/consensus/index.js'
import { seenProposals } from '../../../plugins/consensus/swap/records.js'
import { createRandom, type Random } from '../../kit/random.js'
import { stateOf, SuccessionModel } from '../../kit/succession-model.js'

const MEMBERS = ['vp0', 'vp1', 'vp2', 'vp3']
const CALLS_A_RUN = 120

const FIRST: EngineFactory = {
  name: 'first',
  version: '1',
  agreement: true,
  tolerates: () => ({ crashed: 1, byzantine: 1 }),
  parseOptions: () => undefined,
  create: () => ({}),
}

export const GENESIS: EpochRecord = EpochRecord.fromPartial({ engine: 'first', version: '1', members: MEMBERS, crashed: 1, byzantine: 1, agreement: true })

/** Rules of four validators without signatures, over a chain of that height whose blocks have the hash of their number. */
export function rulesAt(height: () => bigint, more: Partial<ContractRules> = {}): ContractRules {
  return {
    genesis: GENESIS,
    members: MEMBERS.map((id, index) => ({ id, index })),
    policy: { kind: 'doors' },
    height,
    hashOf: (block) => (block < height() ? hashOf(block) : undefined),
    verify: undefined,
    recovered: () => undefined,
    ...more,
  }
}

/** The hash of a block in these checks. */
export function hashOf(block: bigint): Uint8Array {
  return encode(BlockchainInfo, BlockchainInfo.fromPartial({ height: block }))
}

/**
 * Random calls, many of them wrong: repeated, of another epoch, about another swap, of a member that has called already. What the contract lets pass, the model of the
 * test kit must let pass too, and they must agree on the state. Returns what is wrong, if anything is.
 */
export async function checkContract(seed: number): Promise<string | undefined> {
  const random = createRandom(seed)
  const model = new SuccessionModel(MEMBERS.length, FIRST)
  let state = new BufferedState()
  let height = 1n
  const rules = rulesAt(() => height)
  model.read(0n, blockOf(0n, undefined))
  const said: (readonly [call: string, argument: Uint8Array])[] = []
  for (let number = 0; number < CALLS_A_RUN; number += 1) {
    const [call, argument] = said.length > 0 && random.chance(0.25) ? random.pick(said) : randomCall(random, state)
    said.push([call, argument])
    const epoch = recordIn(state)?.epoch ?? 0n
    const next = copyOf(state)
    try {
      await callSuccession(rules, next, call, [argument])
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      continue
    }
    state = next
    const wrong = model.read(height, blockOf(epoch, succession(`t${number}`, call, [argument])))
    const found = stateOf(FIRST, recordIn(state), candidateIn(state))
    const expected = model.stateAfter(height)
    if (wrong.length > 0) return wrong.join('; ')
    if (found !== expected) return `after '${call}': ${found}; expected: ${expected}`
    height += 1n
  }
  return undefined
}

function randomCall(random: Random, state: BufferedState): readonly [string, Uint8Array] {
  const record = recordIn(state)
  const present = record?.epoch ?? 0n
  const epoch = random.chance(0.1) ? present + BigInt(random.below(3)) - 1n : present
  const fromEpoch = epoch < 0n ? 0n : epoch
  const candidate = candidateIn(state)
  const id = candidate && random.chance(0.9) ? candidate.id : candidateId(Buffer.from([random.below(3)]))
  const member = random.below(MEMBERS.length)
  const signature = new Uint8Array(0)
  const calls: readonly (() => readonly [string, Uint8Array])[] = [
    () => ['prepare', encode(SwapProposal, proposalOf(fromEpoch, random.below(4), { number: seenProposals(state) }))],
    () => ['ready', encode(SwapReady, { fromEpoch, candidate: id, member, probe: Buffer.alloc(32, random.chance(0.8) ? 1 : 2), signature })],
    () => ['cancel', encode(SwapCancel, { fromEpoch, candidate: id, member, byOperator: random.chance(0.2), signature, network: '' })],
    () => ['start', encode(EpochMarker, { epoch: fromEpoch, member, hash: hashOf(record?.activation ?? 0n), signature, recovered: undefined })],
  ]
  return random.pick(MIX.flatMap((count, index) => calls.slice(index, index + 1).flatMap((call) => Array.from({ length: count }, () => call))))()
}

/** How often each kind of call comes up. */
const MIX = [1, 3, 1, 2]

/** A proposal that can follow the first epoch; the same nonce gives the same one. */
export function proposalOf(fromEpoch: bigint, nonce = 0, more: Partial<SwapProposal> = {}): SwapProposal {
  return SwapProposal.fromPartial({
    fromEpoch,
    engine: 'next',
    version: '2',
    options: '{}',
    members: MEMBERS,
    crashed: 1,
    byzantine: 1,
    agreement: true,
    deadlineBlocks: 100,
    deadlineMs: 1000,
    nonce: Buffer.from([nonce]),
    ...more,
  })
}

function blockOf(epoch: bigint, transaction: Uint8Array | undefined): Uint8Array {
  const consensusMetadata = epoch === 0n ? new Uint8Array(0) : encode(EpochBlockMetadata, { epoch, engine: new Uint8Array(0), rejected: [] })
  const none = new Uint8Array(0)
  const header = { version: 0, timestamp: undefined, stateHash: none, previousBlockHash: none, consensusMetadata, nonHashData: undefined }
  return encodeBlock(header, transaction ? [transaction] : [])
}

function copyOf(state: BufferedState): BufferedState {
  const copy = new BufferedState()
  for (const key of SUCCESSION_KEYS) copy.read(key, state.get(key))
  return copy
}

export function recordIn(state: BufferedState): EpochRecord | undefined {
  const bytes = state.get('current')
  return bytes && decode(EpochRecord, bytes)
}

export function candidateIn(state: BufferedState): SwapCandidate | undefined {
  const bytes = state.get('candidate')
  return bytes && decode(SwapCandidate, bytes)
}
