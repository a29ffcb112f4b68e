import { describeFault, type Fault, membersOf } from './faults.js'
import { createMutator } from './mutator.js'
import type { Random } from './random.js'
import type { SwapFault } from './swap-faults.js'
import type { ScenarioPeer, ScenarioWorld } from './world-of-faults.js'

/** Plays the faults of a scenario in a simulation. */
export class FaultRunner {
  /** What ends the faults that last. */
  readonly #active = new Set<() => void>()
  readonly #dead = new Set<ScenarioPeer>()

  constructor(
    private readonly simulation: ScenarioWorld,
    private readonly faults: readonly Fault[],
    /** Who swaps engines, where they can be swapped. */
    private readonly operators: { play(fault: SwapFault): () => void } | undefined,
  ) {}

  /** Schedules them all, from now on. */
  schedule(): void {
    this.faults.forEach((fault, index) => this.simulation.time.schedule(fault.atMs, () => this.#begin(fault, index)))
  }

  /** Ends them all, for good: who is not dead starts again, second instances of twins vanish. */
  end(): void {
    const { simulation } = this
    for (const end of this.#active) end()
    simulation.links.heal()
    for (const twin of simulation.twins) this.#removeTwin(twin)
    for (const peer of simulation.peers) if (!this.#dead.has(peer)) peer.start()
  }

  #begin(fault: Fault, index: number): void {
    const { simulation } = this
    const sink = simulation.trace.sink
    const facts = { type: 'fault', text: describeFault(fault), members: membersOf(fault), fault: index } as const
    sink?.add({ ...facts, begins: true })
    const undo = this.#play(fault, index)
    const end = (): void => {
      if (!this.#active.delete(end)) return
      sink?.add({ ...facts, begins: false })
      undo()
    }
    this.#active.add(end)
    if (fault.kind !== 'dead') simulation.time.schedule(fault.forMs, end)
  }

  /** Returns what ends it. */
  #play(fault: Fault, index: number): () => void {
    const { links, time, random } = this.simulation
    switch (fault.kind) {
      case 'kill':
      case 'power':
      case 'stop':
      case 'dead':
      case 'wipe':
        return this.#down(fault)
      case 'swap':
      case 'cancel':
      case 'repropose':
      case 'lacks':
        return this.operators?.play(fault) ?? (() => undefined)
      case 'restart-engine':
        for (const peer of this.simulation.instances()) if (peer.member.index === fault.member) peer.restartEngine()
        return () => undefined
      case 'replay':
        return this.#replay(fault, random.fork(`replay ${index}`))
      case 'blackout':
        for (const peer of this.simulation.peers) peer.crash('power')
        return () =>
          this.simulation.peers.forEach((peer) => time.schedule(random.fork(`blackout ${index} ${peer.member.id}`).between(0, 100), () => this.#revive(peer)))
      case 'break':
        return links.break(...fault.members)
      case 'partition':
        links.partition(fault.groups)
        return () => links.unite()
      case 'delay':
        return links.disturb({ from: fault.from, to: fault.to, extraMs: fault.extraMs })
      case 'slow-disk':
      case 'slow-execution':
      case 'clock':
        return this.#change(fault)
      case 'failing-disk':
        return this.#failDisk(fault)
      case 'loss':
      case 'duplicate':
      case 'reorder':
        return links.disturb({ [fault.kind]: fault.chance })
      case 'twins':
        for (const member of fault.second) links.turn(member, fault.member, true)
        return () => fault.second.forEach((member) => links.turn(member, fault.member, false))
      case 'mutate':
        break
    }
    const mutator = createMutator(random.fork(`mutator ${index}`), this.simulation.peers.length, fault.chance)
    const endpoints = this.simulation.instances().filter(({ member }) => member.index === fault.member)
    for (const { endpoint } of endpoints) links.intercept(endpoint, mutator)
    return () => endpoints.forEach(({ endpoint }) => links.intercept(endpoint, undefined))
  }

  #down(fault: Fault & { readonly kind: 'kill' | 'power' | 'stop' | 'dead' | 'wipe' }): () => void {
    const peer = this.simulation.peer(fault.member)
    if (fault.kind === 'dead') this.#dead.add(peer)
    if (fault.kind === 'power' && fault.afterWrites !== undefined) return this.#downAtWrite(peer, fault.afterWrites)
    if (fault.kind === 'stop') peer.beginStop()
    else peer.crash(fault.kind === 'kill' ? 'kill' : 'power')
    if (fault.kind === 'wipe') peer.disk.wipe()
    return () => this.#revive(peer)
  }

  /** Its own host believes it, and so does its engine. */
  #replay({ member, requests }: Fault & { readonly kind: 'replay' }, random: Random): () => void {
    const known = this.simulation.invariants.requests()
    const chosen = known.length === 0 ? [] : Array.from({ length: requests }, () => random.pick(known))
    for (const peer of this.simulation.instances()) if (peer.member.index === member) for (const request of chosen) peer.submitAsNew(request)
    return () => undefined
  }

  #downAtWrite(peer: ScenarioPeer, writes: number): () => void {
    let left = writes
    const { disk } = peer
    const written = (): void => {
      left -= 1
      if (left > 0) return
      disk.onWrite = undefined
      peer.crash('power')
    }
    disk.onWrite = written
    return () => {
      disk.onWrite = undefined
      this.#revive(peer)
    }
  }

  #change(fault: Fault & { readonly kind: 'slow-disk' | 'slow-execution' | 'clock' }): () => void {
    const peer = this.simulation.peer(fault.member)
    if (fault.kind === 'clock') {
      peer.clockJumpMs += fault.jumpMs
      return () => (peer.clockJumpMs -= fault.jumpMs)
    }
    const target: { slowMs: number } = fault.kind === 'slow-disk' ? peer.disk : peer.execution
    target.slowMs += fault.extraMs
    return () => (target.slowMs -= fault.extraMs)
  }

  #failDisk({ member, error, afterWrites }: Fault & { readonly kind: 'failing-disk' }): () => void {
    const peer = this.simulation.peer(member)
    const { disk } = peer
    disk.failNextWrite(error, afterWrites)
    return () => {
      disk.failNextWrite(undefined)
      if (disk.hasFailed && peer.isUp && this.simulation.invariants.isHonest(member))
        this.simulation.invariants.fail('safety', `${peer.member.id} goes on although its disk could not write`)
      this.#revive(peer)
    }
  }

  #revive(peer: ScenarioPeer): void {
    if (!this.#dead.has(peer)) peer.start()
  }

  #removeTwin(twin: ScenarioPeer): void {
    twin.crash('power')
    for (const { member } of this.simulation.peers) this.simulation.links.turn(member.index, twin.member.index, false)
  }
}
