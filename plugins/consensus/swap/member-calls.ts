import { messageOf } from '../../../kernel/index.js'
import { encode, EpochMarker, type EpochRecord, SwapCancel, type SwapCandidate, SwapReady } from '../../../proto/index.js'
import type { RequestPool } from '../pool/pool.js'
import type { SessionSurroundings } from '../session/session.js'
import { succession } from './calls.js'
import { type CallName, memberBytes } from './contract.js'
import { markerName } from './start-markers.js'
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
    this.say('ready', `consensus-ready-${shortly(id)}-${self}`, argument, (value) => encode(SwapReady, value))
  }

  /** It gives up on a candidate. */
  cancel({ id, proposal }: SwapCandidate): void {
    const { self } = this.options.surroundings
    const argument = SwapCancel.fromPartial({ fromEpoch: proposal?.fromEpoch ?? 0n, candidate: id, member: self })
    this.say('cancel', `consensus-cancel-${shortly(id)}-${self}`, argument, (value) => encode(SwapCancel, value))
  }

  /** Says that it has committed the activation block of an epoch and runs its engine. `recovered`: the record, if the operators began the epoch. */
  marker({ epoch, activation }: EpochRecord, recovered?: EpochRecord): Promise<Uint8Array> {
    const { self } = this.options.surroundings
    const hash = this.options.succession.hashOf(activation) ?? UNSIGNED
    return this.made('start', markerName(epoch, self), { epoch, hash, member: self, signature: UNSIGNED, recovered }, (value) => encode(EpochMarker, value))
  }

  /** Has start markers ordered, one after the other. */
  start(markers: readonly Uint8Array[]): void {
    for (const marker of markers) this.accepted('start', () => this.order(marker))
  }

  private say<T extends { signature: Uint8Array }>(call: CallName, name: string, argument: T, encoded: (argument: T) => Uint8Array): void {
    this.accepted(call, async () => this.order(await this.made(call, name, argument, encoded)))
  }

  private async made<T extends { signature: Uint8Array }>(
    call: CallName,
    txid: string,
    argument: T,
    encoded: (argument: T) => Uint8Array,
  ): Promise<Uint8Array> {
    const { signer } = this.options.surroundings
    const signature = signer ? await signer.sign(memberBytes(call, encoded(argument))) : UNSIGNED
    return succession(txid, call, [encoded({ ...argument, signature })])
  }

  private async order(bytes: Uint8Array): Promise<void> {
    if (!this.options.isOver()) await this.options.pool.submit(bytes, {}, true).written
  }

  private accepted(call: CallName, submitted: () => Promise<void>): void {
    submitted().catch((error: unknown) => {
      const { log } = this.options.surroundings
      if (!this.options.isOver()) log.error('a call of this validator about the succession was not accepted', { call, reason: messageOf(error) })
    })
  }
}

function shortly(id: Uint8Array): string {
  return Buffer.from(id).toString('hex', 0, 16)
}
