import { messageOf, PeerError } from '../../kernel/index.js'
import type { SwapCancel, SwapProposal } from '../../proto/index.js'
import type { Ledger } from '../../plugins/ledger/index.js'
import type { Fault } from './faults.js'
import type { SimulatedPeer } from './simulated-peer.js'
import type { Simulation } from './simulation.js'

export type SwapFault = Extract<Fault, { readonly kind: 'swap' | 'cancel' | 'repropose' | 'lacks' }>

/** What operators do in a scenario, as their commands would. */
export class Operators<L extends Ledger> {
  #proposed: SwapProposal | undefined
  /** The last swap that somebody could have cancelled. */
  #cancellation: SwapCancel | undefined

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

  async #swap(
    peer: SimulatedPeer<L>,
    { member: asking, engine, version, options, deadlineMs, deadlineBlocks, isForced = false }: SwapFault & { kind: 'swap' },
  ): Promise<void> {
    const { host } = peer
    if (!host) return
    const lacking = engine === undefined ? new Map<number, number>() : this.#lacking(engine)
    const plan = await host.swaps.plan({
      ...(engine === undefined ? {} : { engine }),
      ...(version === undefined ? {} : { version }),
      ...(options === undefined ? {} : { options }),
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
      ...(deadlineBlocks === undefined ? {} : { deadlineBlocks }),
      allowWeaker: true,
    })
    const stillLacks = (member: number): boolean => lacking.has(member) && lacking.get(member) === this.simulation.peers[member]?.shelf.changes
    // Whoever asks proposes the engine as it has it itself: the others have to object.
    const overlooked = plan.rows.find(({ member: { index }, answer }) => answer && index !== asking && stillLacks(index))
    // What a liar asks may have been changed on its way.
    if (overlooked && plan.objection === undefined && this.simulation.invariants.isHonest(asking))
      this.simulation.invariants.fail('contract', `the pre-flight has no objection to ${engine}, which ${overlooked.member.id} has not got`)
    if (plan.objection !== undefined && !isForced) return
    this.#proposed = plan.proposal
    await host.swaps.propose(plan.proposal)
  }

  /** Honest members that cannot run an engine as others have it, each with the changes of its shelf so far. */
  #lacking(engine: string): ReadonlyMap<number, number> {
    const { peers, invariants } = this.simulation
    return new Map(
      peers.flatMap(({ shelf }, index) => (shelf.faultOf(engine) !== undefined && invariants.isHonest(index) ? [[index, shelf.changes] as const] : [])),
    )
  }

  async #repropose({ host }: SimulatedPeer<L>): Promise<void> {
    if (host && this.#proposed) await host.swaps.propose(this.#proposed)
  }

  async #cancel({ host }: SimulatedPeer<L>): Promise<void> {
    if (!host) return
    const { candidate } = host.swaps.view()
    // An operator who looked a while ago: the swap may be decided by now.
    if (candidate) this.#cancellation = host.swaps.cancellation()
    await host.swaps.cancel(this.#cancellation ?? host.swaps.cancellation())
  }
}
