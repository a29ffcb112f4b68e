import {
  decode,
  encode,
  EpochMarker,
  EpochRecord,
  type MessageType,
  SwapCancel,
  type SwapCandidate,
  SwapProposal,
  SwapReady,
  WireError,
} from '../../../proto/index.js'
import type { Member, MemberIndex } from '../engine/engine.js'
import { digestOf } from '../engine/request-id.js'
import type { ConsensusSigner } from '../session/signer.js'
import { objection, type SwapPolicy } from './policy.js'
import {
  candidateOf,
  currentRecord,
  dropCandidate,
  faultsOf,
  putCandidate,
  putNewEpoch,
  putRecord,
  putSeen,
  seenProposals,
  type WritableSuccessionState,
} from './records.js'

/** What the rules of succession need beside the world state; the same on every validator. */
export interface ContractRules {
  /** Epoch 0, as all sites have it. */
  readonly genesis: EpochRecord
  readonly members: readonly Member[]
  readonly policy: SwapPolicy
  /** Number of the block that is being made. */
  readonly height: () => bigint
  /** Hash of a block of this chain; undefined above the head. */
  readonly hashOf: (block: bigint) => Uint8Array | undefined
  /** Whether a member signed these bytes. Without security nobody signs, and every validator is trusted for what it orders. */
  readonly verify: ((member: Member, bytes: Uint8Array, signature: Uint8Array) => Promise<boolean>) | undefined
  /** The record with which this validator's operators agreed to begin a new epoch after a recovery, if they did. */
  readonly recovered: () => EpochRecord | undefined
}

/** A call of the succession that changes nothing: its transaction is rejected with this text, on every validator alike. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
}

export const CALLS = ['prepare', 'ready', 'cancel', 'start'] as const
export type CallName = (typeof CALLS)[number]

const MAX_NAME = 200
/** Longest options that a swap may bring, in characters. */
const MAX_OPTIONS = 64 * 1024

/** What a member signs of its own calls: the argument without its signature. */
export function memberBytes(call: CallName, encoded: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`weft consensus ${call} of a member\n`), encoded])
}

/** Identity of a proposal: SHAKE256 (32 bytes) of its bytes. */
export function candidateId(proposal: Uint8Array): Uint8Array {
  return digestOf(proposal)
}

/**
 * Executes one call of the succession (design: hot swap). Deterministic: state, rules and arguments alone decide.
 *
 * @throws Refusal what is wrong with the call; its writes must be dropped
 */
export async function callSuccession(rules: ContractRules, state: WritableSuccessionState, call: string, args: readonly Uint8Array[]): Promise<void> {
  const [argument, signatures = new Uint8Array()] = args
  if (argument === undefined) throw new Refusal(`'${call}' takes an argument; found none`)
  try {
    switch (call) {
      case 'prepare':
        return prepare(rules, state, argument, signatures)
      case 'ready':
        return await ready(rules, state, decode(SwapReady, argument))
      case 'cancel':
        return await cancel(rules, state, argument, signatures)
      case 'start':
        return await start(rules, state, decode(EpochMarker, argument))
    }
  } catch (error) {
    if (error instanceof WireError) throw new Refusal(`the argument of '${call}' cannot be read: ${error.message}`)
    throw error
  }
  throw new Refusal(`expected one of ${CALLS.join(', ')}; found '${call.slice(0, 40)}'`)
}

function prepare(rules: ContractRules, state: WritableSuccessionState, argument: Uint8Array, signatures: Uint8Array): void {
  const proposal = decode(SwapProposal, argument)
  const current = currentRecord(state, rules.genesis)
  requireEpoch(proposal.fromEpoch, current)
  const pending = candidateOf(state)
  if (pending) throw new Refusal(`a swap to ${nameOf(pending.proposal)} is under way: cancel it first, or wait until it is decided`)
  const refused = objection(rules.policy, 'prepare', proposal.network, argument, signatures)
  if (refused !== undefined) throw new Refusal(refused)
  const weakness = weaknessOf(proposal, current)
  if (weakness !== undefined) throw new Refusal(weakness)
  const id = candidateId(argument)
  const seen = seenProposals(state)
  if (proposal.number !== seen)
    throw new Refusal(`proposal ${proposal.number} of an epoch that has seen ${seen}: a swap is asked for anew, not repeated or after another that came first`)
  putSeen(state, seen + 1n)
  putCandidate(state, { id, proposal, preparedIn: rules.height(), readies: [], cancels: [] })
}

/** Why a proposal cannot follow an epoch; undefined: it can. Deterministic, and asked again by whoever is about to propose. */
export function weaknessOf(proposal: SwapProposal, current: EpochRecord): string | undefined {
  const { engine, version, options, members, crashed, byzantine, agreement, allowWeaker } = proposal
  if (engine === '' || version === '' || engine.length > MAX_NAME || version.length > MAX_NAME)
    return `a swap names an engine and its version, each in at most ${MAX_NAME} characters`
  if (options.length > MAX_OPTIONS) return `options of an engine have at most ${MAX_OPTIONS} characters; found ${options.length}`
  if (!isJsonObject(options)) return 'options of an engine are a JSON object'
  if (members.join() !== current.members.join()) return `members cannot change with a swap: expected ${current.members.join(', ')}; found ${members.join(', ')}`
  const isAlone = members.length === 1
  if (!isAlone && !current.agreement) return `${current.engine} gives no agreement among ${members.length} validators, so a swap cannot be agreed on either`
  if (!isAlone && !agreement) return `${engine} gives no agreement among ${members.length} validators`
  const isWeaker = crashed < current.crashed || byzantine < current.byzantine
  if (!isWeaker || allowWeaker) return undefined
  return (
    `${engine} tolerates ${crashed} crashed and ${byzantine} lying of ${members.length} validators, ` +
    `${current.engine} tolerates ${current.crashed} and ${current.byzantine}: weaker than before, which --allow-weaker permits`
  )
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

async function ready(rules: ContractRules, state: WritableSuccessionState, call: SwapReady): Promise<void> {
  const current = currentRecord(state, rules.genesis)
  requireEpoch(call.fromEpoch, current)
  const candidate = requireCandidate(state, call.candidate)
  await requireMember(rules, 'ready', call, SwapReady)
  if (call.probe.length !== 32) throw new Refusal(`a probe has 32 bytes; found ${call.probe.length}`)
  if (candidate.readies.some(({ member }) => member === call.member)) throw new Refusal(`member ${call.member} was ready already`)
  if (!candidate.proposal) throw new Refusal('the swap that is under way has no proposal')
  const readies = [...candidate.readies, { member: call.member, probe: call.probe }]
  const alike = readies.filter(({ probe }) => Buffer.compare(probe, call.probe) === 0).map(({ member }) => member)
  if (alike.length < rules.members.length - faultsOf(current)) return putCandidate(state, { ...candidate, readies })
  putNewEpoch(state, recordFor(rules, current, candidate.id, candidate.proposal, alike))
}

function recordFor(
  rules: ContractRules,
  current: EpochRecord,
  id: Uint8Array,
  { engine, version, codeDigest, options, members, crashed, byzantine, agreement }: SwapProposal,
  alike: readonly MemberIndex[],
): EpochRecord {
  const epoch = current.epoch + 1n
  const count = members.length
  return {
    epoch,
    engine,
    version,
    codeDigest,
    options,
    members,
    crashed,
    byzantine,
    agreement,
    activation: rules.height(),
    firstLeader: firstLeader(epoch, count, alike),
    candidate: id,
    // Whoever was not ready for the trial, or may fail in the new engine, must not be waited for.
    markersNeeded: count - Math.max(faultsOf(current), faultsOf({ crashed, byzantine })),
    started: [],
    missing: [],
    isRecovery: false,
  }
}

/** The first from members[epoch mod N] on that is known to be there. */
export function firstLeader(epoch: bigint, count: number, present: readonly MemberIndex[]): MemberIndex {
  const preferred = Number(epoch % BigInt(count))
  for (let step = 0; step < count; step++) {
    const member = (preferred + step) % count
    if (present.includes(member)) return member
  }
  return preferred
}

async function cancel(rules: ContractRules, state: WritableSuccessionState, argument: Uint8Array, signatures: Uint8Array): Promise<void> {
  const call = decode(SwapCancel, argument)
  const current = currentRecord(state, rules.genesis)
  requireEpoch(call.fromEpoch, current)
  const candidate = requireCandidate(state, call.candidate)
  if (call.byOperator) {
    const refused = objection(rules.policy, 'cancel', call.network, argument, signatures)
    if (refused !== undefined) throw new Refusal(refused)
    return dropCandidate(state)
  }
  await requireMember(rules, 'cancel', call, SwapCancel)
  if (candidate.cancels.includes(call.member)) throw new Refusal(`member ${call.member} has given up already`)
  const cancels = [...candidate.cancels, call.member]
  if (cancels.length > faultsOf(current)) dropCandidate(state)
  else putCandidate(state, { ...candidate, cancels })
}

async function start(rules: ContractRules, state: WritableSuccessionState, call: EpochMarker): Promise<void> {
  const current = begunBy(rules, state, call)
  if (call.epoch !== current.epoch) throw new Refusal(`a marker of epoch ${call.epoch} in epoch ${current.epoch}`)
  await requireMember(rules, 'start', call, EpochMarker)
  const own = rules.hashOf(current.activation)
  if (own === undefined || Buffer.compare(own, call.hash) !== 0) throw new Refusal(`member ${call.member} has another block ${current.activation}`)
  if (current.started.includes(call.member)) throw new Refusal(`member ${call.member} has started already`)
  const record = { ...current, started: [...current.started, call.member] }
  if (call.recovered !== undefined && record.started.length === 1) putNewEpoch(state, record)
  else putRecord(state, record)
}

/** The epoch that a marker belongs to: the current one, or the one that operators began after a recovery, whose record it brings. */
function begunBy(rules: ContractRules, state: WritableSuccessionState, { recovered }: EpochMarker): EpochRecord {
  const current = currentRecord(state, rules.genesis)
  const agreed = rules.recovered()
  if (!recovered || !agreed || recovered.epoch !== current.epoch + 1n) return current
  const isAgreed = Buffer.compare(encode(EpochRecord, recovered), encode(EpochRecord, agreed)) === 0
  if (!isAgreed) throw new Refusal('a marker of another recovery than the operators of this validator agreed on')
  return agreed
}

function requireEpoch(fromEpoch: bigint, { epoch }: EpochRecord): void {
  if (fromEpoch !== epoch) throw new Refusal(`asked for in epoch ${fromEpoch}; this is epoch ${epoch}`)
}

function requireCandidate(state: WritableSuccessionState, id: Uint8Array): SwapCandidate {
  const candidate = candidateOf(state)
  if (!candidate) throw new Refusal('no swap is under way')
  if (Buffer.compare(candidate.id, id) !== 0) throw new Refusal(`another swap is under way: to ${nameOf(candidate.proposal)}`)
  return candidate
}

async function requireMember<T extends { member: number; signature: Uint8Array }>(
  rules: ContractRules,
  call: CallName,
  argument: T,
  type: MessageType<T>,
): Promise<void> {
  const member = rules.members[argument.member]
  if (!member) throw new Refusal(`there is no member ${argument.member}`)
  const { verify } = rules
  if (verify && !(await isSignedBy({ verify }, member, call, argument, type))) throw new Refusal(`not signed by ${member.id}`)
}

/** Whether a member signed what it calls, without its signature. */
export function isSignedBy<T extends { signature: Uint8Array }>(
  verifier: Pick<ConsensusSigner, 'verify'>,
  member: Member,
  call: CallName,
  argument: T,
  type: MessageType<T>,
): Promise<boolean> {
  const unsigned = encode(type, { ...argument, signature: new Uint8Array() })
  return verifier.verify(member, memberBytes(call, unsigned), argument.signature)
}

function nameOf(proposal: SwapProposal | undefined): string {
  return proposal ? `${proposal.engine}@${proposal.version}` : 'another engine'
}
