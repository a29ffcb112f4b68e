import type { ConsensusReport, ConsensusToolsService, ServiceHandlers } from '../../proto/index.js'
import { unary } from '../grpc/index.js'
import type { Consensus, MemberStatus } from './consensus.js'

export interface ReportParts {
  readonly id: () => string
  readonly consensus: Pick<Consensus, 'status'>
  readonly head: () => { readonly hash: Uint8Array; readonly stateHash: Uint8Array }
}

/** `/weft.ConsensusTools` of a running peer. */
export function consensusTools(parts: ReportParts): ServiceHandlers<typeof ConsensusToolsService> {
  return { status: unary(async () => reportOf(parts)) }
}

function reportOf({ id, consensus, head }: ReportParts): ConsensusReport {
  const { engine, epoch, height, valid, pendingRequests, halted, divergence, members, engineView } = consensus.status()
  const { hash, stateHash } = head()
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
    engineView: JSON.stringify(engineView),
  }
}
