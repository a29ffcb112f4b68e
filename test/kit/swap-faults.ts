import { messageOf, PeerError } from '../../kernel/index.js'
import type { SwapProposal } from '../../proto/index.js'
import type { Ledger } from '../../plugins/ledger/index.js'
import type { Fault } from './faults.js'
import type { SimulatedPeer } from './simulated-peer.js'
import type { Simulation } from './simulation.js'

export type SwapFault = Extract<Fault, { readonly kind: 'swap' | 'cancel' | 'repropose' | 'lacks' }>

/** What operators do in a scenario, as their commands would. */
export class Operators<L extends Ledger> {
  #proposed: SwapProposal | undefined

  constructor(private readonly simulation: Simulation<L>) {}

  /** Returns what ends it. */
  play(fault: SwapFault): () => void {
    const peer = this.simulation.peer(fault.member)
    if (fault.kind === 'lacks') {
      peer.shelf.spoil(fault.engine, fault.how)
      return () => peer.shelf.spoil(fault.engine, undefined)
    }
    const asked = fault.kind === 'swap' ? this.#swap(peer, fault) : fault.kind === 'cancel' ? this.#cancel(peer) : this.#repropose(peer)
    asked.catch((error: unknown) => {
      // An operator is told why it cannot be: that is no fault.
      if (error instanceof PeerError) return
      this.simulation.invariants.fail('contract', `vp${fault.member} answered its operator, who asked for '${fault.kind}': ${messageOf(error)}`)
    })
    return () => undefined
  }

  async #swap(peer: SimulatedPeer<L>, { engine, version, options, deadlineMs, deadlineBlocks, isForced = false }: SwapFault & { kind: 'swap' }): Promise<void> {
    const { host } = peer
    if (!host) return
    const plan = await host.swaps.plan({
      ...(engine === undefined ? {} : { engine }),
      ...(version === undefined ? {} : { version }),
      ...(options === undefined ? {} : { options }),
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
      ...(deadlineBlocks === undefined ? {} : { deadlineBlocks }),
      allowWeaker: true,
    })
    if (plan.objection !== undefined && !isForced) return
    this.#proposed = plan.proposal
    await host.swaps.propose(plan.proposal)
  }

  async #repropose({ host }: SimulatedPeer<L>): Promise<void> {
    if (host && this.#proposed) await host.swaps.propose(this.#proposed)
  }

  async #cancel({ host }: SimulatedPeer<L>): Promise<void> {
    if (host) await host.swaps.cancel(host.swaps.cancellation())
  }
}
