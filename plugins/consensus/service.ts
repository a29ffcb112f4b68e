import { PeerError } from '../../kernel/index.js'
import {
  type ConsensusReport,
  type ConsensusToolsService,
  decode,
  encode,
  type PlanSwapRequest,
  type RecoverRequest,
  type ServiceHandlers,
  type SuccessionReport,
  type SwapCallReply,
  SwapCancel,
  type SwapPlanMessage,
  type SwapProgress,
  SwapProposal,
} from '../../proto/index.js'
import { isLocal, type LocatedCall, unary } from '../grpc/index.js'
import { viewJson } from './aids/report-view.js'
import type { Accepted, Consensus, MemberStatus } from './consensus.js'
import type { ConsensusHost } from './host-options.js'
import type { RecoveryWish } from './swap/recovery.js'
import type { SuccessionView, Swaps } from './swap/swaps.js'

export interface ReportParts {
  readonly id: () => string
  readonly consensus: Pick<Consensus, 'status'>
  readonly head: () => { readonly hash: Uint8Array; readonly stateHash: Uint8Array }
  /** The host that runs, if one does. */
  readonly host: () => Pick<ConsensusHost, 'swaps' | 'recovery' | 'restartEngine' | 'status'> | undefined
}

const PERMISSION_DENIED = 7
const INVALID_ARGUMENT = 3

/** `/weft.ConsensusTools` of a running peer. What changes the engine is for callers of this machine alone (design: hot swap). */
export function consensusTools(parts: ReportParts): ServiceHandlers<typeof ConsensusToolsService> {
  const running = (call: LocatedCall): Pick<ConsensusHost, 'swaps' | 'recovery' | 'restartEngine' | 'status'> => {
    requireLocal(call)
    const host = parts.host()
    if (!host)
      throw new PeerError('ERR_CONSENSUS_HALTED', 'no consensus runs here: this peer does not validate, or is starting or stopping', { grpcStatus: 14 })
    return host
  }
  return {
    status: unary(async () => reportOf(parts)),
    planSwap: unary(async (request, call) => plan(running(call).swaps, request)),
    proposeSwap: unary(async ({ proposal, signatures }, call) => outcomeOf(await running(call).swaps.propose(decode(SwapProposal, proposal), signatures))),
    planCancel: unary(async (_request, call) => {
      const { swaps } = running(call)
      const { engine, version } = swaps.view().candidate?.proposal ?? { engine: '', version: '' }
      return { cancellation: encode(SwapCancel, swaps.cancellation()), engine, version }
    }),
    cancelSwap: unary(async ({ cancellation, signatures }, call) => outcomeOf(await running(call).swaps.cancel(decode(SwapCancel, cancellation), signatures))),
    succession: unary(async ({ history }, call) => successionOf(running(call), history)),
    restartEngine: unary(async (_request, call) => {
      const host = running(call)
      await host.restartEngine()
      const { engine, version, epoch } = host.swaps.view().record
      return { engine, version, epoch }
    }),
    recover: unary(async (request, call) => {
      const { recovery } = running(call)
      await recovery.begin(wishOf(request))
      return recovery.report()
    }),
    recovery: unary(async (_request, call) => running(call).recovery.report()),
    cancelRecovery: unary(async (_request, call) => {
      const { recovery } = running(call)
      await recovery.cancel()
      return recovery.report()
    }),
  }
}

function requireLocal(call: LocatedCall): void {
  if (isLocal(call.getPeer())) return
  throw new PeerError('ERR_CONSENSUS_REMOTE', 'the consensus engine is changed from the machine of a validator alone', {
    hint: 'run the command there',
    grpcStatus: PERMISSION_DENIED,
  })
}

async function plan(swaps: Swaps, request: PlanSwapRequest): Promise<SwapPlanMessage> {
  const { engine, version, options, allowWeaker, deadlineMs, deadlineBlocks } = request
  const parsed = options === '' ? undefined : objectOf(options)
  const { proposal, rows, objection, needed, isUnchanged } = await swaps.plan({
    ...(engine === '' ? {} : { engine }),
    ...(version === '' ? {} : { version }),
    ...(parsed === undefined ? {} : { options: parsed }),
    ...(deadlineMs === 0 ? {} : { deadlineMs }),
    ...(deadlineBlocks === 0 ? {} : { deadlineBlocks }),
    allowWeaker,
  })
  return {
    proposal: encode(SwapProposal, proposal),
    objection: objection ?? '',
    needed,
    unchanged: isUnchanged,
    rows: rows.map(({ member, answer }) => ({
      id: member.id,
      answered: answer !== undefined,
      engine: answer?.engine ?? '',
      version: answer?.version ?? '',
      codeDigest: answer?.codeDigest ?? '',
      refusal: answer?.refusal ?? '',
      isolated: answer?.isolated ?? false,
      epoch: answer?.epoch ?? 0n,
      height: answer?.height ?? 0n,
      halted: answer?.halted ?? '',
    })),
  }
}

function wishOf({ engine, version, options, acceptLoss }: RecoverRequest): RecoveryWish {
  return { engine, ...(version === '' ? {} : { version }), ...(options === '' ? {} : { options: objectOf(options) }), acceptLoss }
}

function objectOf(json: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    value = undefined
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw new PeerError('ERR_SWAP_OPTIONS', `options of an engine are a JSON object; found ${json.slice(0, 100)}`, { grpcStatus: INVALID_ARGUMENT })
}

async function outcomeOf(accepted: Accepted): Promise<SwapCallReply> {
  const report = await accepted.outcome()
  return { block: report.block, error: report.status === 'rejected' ? report.error : '' }
}

function successionOf(host: Pick<ConsensusHost, 'swaps' | 'status'>, withHistory: boolean): SuccessionReport {
  const { swaps } = host
  const { record, candidate, swap, crossed, isSealing, objections, awaited } = swaps.view()
  const { height, halted } = host.status()
  return {
    height,
    record,
    candidate,
    phase: swap?.phase ?? '',
    refusal: swap?.refusal ?? '',
    crossed: [...crossed],
    sealing: isSealing,
    history: withHistory ? [...swaps.history()] : [],
    halted: halted ?? '',
    objections: [...objections],
    awaited: awaited.map(({ id }) => id),
  }
}

function reportOf({ id, consensus, head, host }: ReportParts): ConsensusReport {
  const { engine, epoch, height, valid, pendingRequests, halted, stalled, divergence, members, engineView } = consensus.status()
  const { hash, stateHash } = head()
  const view = host()?.swaps.view()
  return {
    id: id(),
    engine: engine?.name ?? '',
    version: engine?.version ?? '',
    epoch,
    height,
    headHash: hash,
    stateHash,
    valid,
    pending: BigInt(pendingRequests),
    halted: halted ?? '',
    divergence: divergence ?? '',
    members: (members ?? []).map(({ index, id: name, isSelf, isConnected }: MemberStatus) => ({ index, id: name, self: isSelf, connected: isConnected })),
    engineView: viewJson(engineView),
    swap: view && progressOf(view),
    sealing: view?.isSealing ?? false,
    activation: view?.record.activation ?? 0n,
    stalled: stalled ?? '',
  }
}

function progressOf({ candidate, swap, record }: SuccessionView): SwapProgress | undefined {
  const proposal = candidate?.proposal
  if (!candidate || !proposal) return undefined
  const idOf = (member: number): string => record.members[member] ?? String(member)
  return {
    engine: proposal.engine,
    version: proposal.version,
    phase: swap?.phase ?? '',
    refusal: swap?.refusal ?? '',
    ready: candidate.readies.map(({ member }) => idOf(member)),
    cancelled: candidate.cancels.map(idOf),
    preparedIn: candidate.preparedIn,
  }
}
