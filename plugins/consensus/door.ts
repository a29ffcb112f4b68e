import { PeerError } from '../../kernel/index.js'
import type { Accepted, Consensus, ConsensusStatus, Forwarding, SubmitHints } from './consensus.js'
import { ConsensusCounters, type ConsensusFigures, type HostQueues } from './counters.js'
import type { ConsensusHost } from './host-options.js'
import { refuseReservedBytes } from './reserved.js'
import { requestId } from './engine/request-id.js'

const NONE: ReadonlyMap<string, number> = new Map()

/** What other plugins hold: the host of the moment, or the reason why there is none. */
export class ConsensusDoor implements Consensus, ConsensusFigures {
  private host: ConsensusHost | undefined
  private closedBecause = 'this peer is starting'

  /** `height` of the chain, also while there is no host. `forwarding`: where transactions of a peer that does not validate go. */
  constructor(
    private readonly height: () => bigint,
    private readonly forwarding: () => Forwarding | undefined = () => undefined,
    readonly counters = new ConsensusCounters(() => 0),
  ) {}

  open(host: ConsensusHost): void {
    this.host = host
  }

  /** Refuses from now on. Returns the host that was behind the door. */
  close(reason: string): ConsensusHost | undefined {
    const { host } = this
    this.host = undefined
    this.closedBecause = reason
    return host
  }

  submit(transactionBytes: Uint8Array, hints?: SubmitHints): Promise<Accepted> {
    if (this.host) return this.host.submit(transactionBytes, hints)
    const forwarding = this.forwarding()
    if (forwarding?.isNeeded) refuseReservedBytes(transactionBytes)
    if (forwarding?.isNeeded) return forwarded(transactionBytes, forwarding)
    this.counters.refusedHalted++
    const refusal = new PeerError('ERR_CONSENSUS_HALTED', `transactions are not accepted here: ${this.closedBecause}`, {
      grpcStatus: 14,
      hint: 'submit to a running validator',
    })
    return Promise.reject(refusal)
  }

  checkRoom(origin?: string): void {
    this.host?.checkRoom(origin)
  }

  /** The host of the moment. */
  get running(): ConsensusHost | undefined {
    return this.host
  }

  metrics(): ReadonlyMap<string, number> {
    return this.host?.metrics ?? NONE
  }

  queues(): HostQueues | undefined {
    return this.host?.queues()
  }

  /** Without an engine nothing says that the state is behind: queries are answered from what is there. */
  get valid(): boolean {
    return this.host?.valid ?? true
  }

  status(): ConsensusStatus {
    if (this.host) return this.host.status()
    return { engine: undefined, epoch: 0n, height: this.height(), valid: this.valid, pendingRequests: 0, halted: this.closedBecause, engineView: {} }
  }
}

/** A validator takes over: this peer has neither journal nor blocks, and will not hear how the transaction ends. */
async function forwarded(transactionBytes: Uint8Array, forwarding: Forwarding): Promise<Accepted> {
  await forwarding.forward(transactionBytes)
  const unknown = new PeerError('ERR_CONSENSUS_FORWARDED', 'a validator accepted the transaction; this peer does not validate and cannot tell how it ends', {
    hint: 'ask a validator for the transaction or its chaincode',
    grpcStatus: 9,
  })
  return { id: requestId(transactionBytes), duplicate: false, outcome: () => Promise.reject(unknown) }
}
