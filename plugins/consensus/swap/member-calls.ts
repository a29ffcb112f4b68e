import { messageOf } from '../../../kernel/index.js'
import { encode, EpochMarker, type EpochRecord, SwapCancel, type SwapCandidate, SwapReady } from '../../../proto/index.js'
import type { RequestPool } from '../pool.js'
import type { SessionSurroundings } from '../session.js'
import { succession } from './calls.js'
import { type CallName, memberBytes } from './contract.js'
import type { Succession } from './succession.js'

export interface MemberCallsOptions {
  readonly surroundings: SessionSurroundings
  readonly pool: RequestPool
  readonly succession: Succession
  readonly isOver: () => boolean
}

const UNSIGNED = new Uint8Array(0)

/** What this validator itself has ordered about the succession. Said again after a restart it is the same request, unless it is signed. */
export class MemberCalls {
  constructor(private readonly options: MemberCallsOptions) {}

  /** Its trial of a candidate has ordered what it had to. */
  ready({ id, proposal }: SwapCandidate, probe: Uint8Array): void {
    const { self } = this.options.surroundings
    const argument = { fromEpoch: proposal?.fromEpoch ?? 0n, candidate: id, member: self, probe, signature: UNSIGNED }
    this.say('ready', `${shortly(id)}-${self}`, argument, (value) => encode(SwapReady, value))
  }

  /** It gives up on a candidate. */
  cancel({ id, proposal }: SwapCandidate): void {
    const { self } = this.options.surroundings
    const argument = SwapCancel.fromPartial({ fromEpoch: proposal?.fromEpoch ?? 0n, candidate: id, member: self })
    this.say('cancel', `${shortly(id)}-${self}`, argument, (value) => encode(SwapCancel, value))
  }

  /** It has committed the activation block of an epoch and runs its engine. `recovered`: the record, if the operators began the epoch. */
  started({ epoch, activation, started }: EpochRecord, recovered?: EpochRecord): void {
    const { self } = this.options.surroundings
    if (epoch === 0n || started.includes(self)) return
    const hash = this.options.succession.hashOf(activation) ?? UNSIGNED
    this.say('start', `${epoch}-${self}`, { epoch, hash, member: self, signature: UNSIGNED, recovered }, (value) => encode(EpochMarker, value))
  }

  private say<T extends { signature: Uint8Array }>(call: CallName, name: string, argument: T, encoded: (argument: T) => Uint8Array): void {
    this.submit(call, name, argument, encoded).catch((error: unknown) => {
      const { log } = this.options.surroundings
      if (!this.options.isOver()) log.error('a call of this validator about the succession was not accepted', { call, reason: messageOf(error) })
    })
  }

  private async submit<T extends { signature: Uint8Array }>(call: CallName, name: string, argument: T, encoded: (argument: T) => Uint8Array): Promise<void> {
    const { surroundings, pool, isOver } = this.options
    const signature = surroundings.signer ? await surroundings.signer.sign(memberBytes(call, encoded(argument))) : UNSIGNED
    if (isOver()) return
    await pool.submit(succession(`consensus-${call}-${name}`, call, [encoded({ ...argument, signature })]), {}, true).written
  }
}

function shortly(id: Uint8Array): string {
  return Buffer.from(id).toString('hex', 0, 16)
}
