import { PeerError } from '../../kernel/index.js'

/** How a host stands, as far as it decides whether transactions are accepted. */
export interface Standing {
  readonly phase: 'new' | 'running' | 'stopping' | 'over'
  /** Why the engine is halted. */
  readonly halted: string | undefined
  /** What more validators than may be faulty disagree about. */
  readonly dispute: string | undefined
  /** Why this validator only follows the others. */
  readonly following: string | undefined
  /** Why it takes the chain of the others now. */
  readonly repairing: string | undefined
  readonly isRecovering: boolean
}

/** ERR_CONSENSUS_HALTED with the reason why no transactions are accepted; undefined: they are. */
export function refusalOf(standing: Standing): PeerError | undefined {
  const { halted } = standing
  const why = reasonOf(standing)
  if (why === undefined) return undefined
  return new PeerError('ERR_CONSENSUS_HALTED', `this validator orders no transactions: ${why}`, {
    grpcStatus: 14,
    retryable: halted === undefined || standing.isRecovering || standing.repairing !== undefined,
  })
}

function reasonOf({ phase, halted, dispute, following, repairing, isRecovering }: Standing): string | undefined {
  if (isRecovering) return 'its operator has stopped its engine for a recovery'
  if (dispute !== undefined) return dispute
  if (following !== undefined || repairing !== undefined) return following ?? repairing
  if (halted !== undefined) return `its engine is halted: ${halted}`
  return phase === 'running' ? undefined : `this peer is ${phase === 'new' ? 'starting' : 'stopping'}`
}
