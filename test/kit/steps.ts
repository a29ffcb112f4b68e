import type { MemberIndex } from '../../plugins/consensus/index.js'
import { decoded, describeDecoded } from './engine-effects.js'
import { describeLifeEvent, type LifeEvent } from './engine-events.js'
import type { HeldMessage } from './links.js'
import type { LogicalLedger } from './logical-ledger.js'
import type { CrashKind } from './memory-disk.js'
import type { PlayedEngine } from './play.js'
import { recordEngine, type Recording } from './recording.js'
import { Simulation } from './simulation.js'
import { makeTransaction } from './transactions.js'
import { logicalWorld } from './worlds.js'

/** What the single steps of an engine begin with. */
export interface StepsOptions {
  readonly members: number
  /** Seeds what engines draw. Default 1. */
  readonly seed?: number
  /** What a message or a record means, for what is returned of each step; bytes that it throws for, or gives undefined for, are shown in hex. */
  readonly decode?: (bytes: Uint8Array) => unknown
}

/** What one engine was told in a step, and what it asked for. */
export interface StepLine {
  readonly member: MemberIndex
  readonly event: LifeEvent
  /** One line each. */
  readonly effects: readonly string[]
  /** All of it in words. */
  readonly text: string
}

const MOST_MESSAGES = 10_000

/**
 * A simulated network that does nothing by itself: every message waits until it is told to arrive, and time passes only with `wait`. Each step returns
 * what the engines were told and asked for. Disks write at once. A broken invariant throws, as in every simulation.
 *
 * @example
 * const net = await stepThrough({ factory: raft }, { members: 3 })
 * await net.submit(0, 'one')
 * for (const { id, from, to } of net.pending()) if (to === 1) console.log(await net.receive(id))
 */
export async function stepThrough(engine: PlayedEngine, { members, seed = 1, decode }: StepsOptions): Promise<Steps> {
  const known = decode && ((bytes: Uint8Array) => decoded(bytes, decode))
  const recordings: Recording[] = []
  const simulation = new Simulation<LogicalLedger>({
    seed,
    members,
    engine: { factory: recordEngine(engine.factory, recordings, known && ((effect) => describeDecoded(effect, known))), options: engine.options },
    ...logicalWorld,
    links: { minDelayMs: 0, maxDelayMs: 0, held: true },
    disk: { minWriteMs: 0, maxWriteMs: 0 },
  })
  await simulation.start()
  await simulation.run(0)
  return new Steps(simulation, recordings, known)
}

/** See `stepThrough`. */
export class Steps {
  readonly #seen = new Map<Recording, number>()
  /** What happened while it started. */
  readonly started: readonly StepLine[]

  constructor(
    /** For everything else: links, ledgers, invariants. */
    readonly simulation: Simulation<LogicalLedger>,
    private readonly recordings: readonly Recording[],
    private readonly decode?: (bytes: Uint8Array) => unknown,
  ) {
    this.started = this.#news()
  }

  /** Messages on their way, in the order of sending. */
  pending(): readonly HeldMessage[] {
    return this.simulation.links.held()
  }

  /** A message arrives: by default the oldest. Throws a RangeError if it is not on its way, or an earlier one of the same link is. */
  async receive(id: number | undefined = this.pending()[0]?.id): Promise<readonly StepLine[]> {
    if (id === undefined) throw new RangeError('expected a message on its way, found none: nobody has sent one')
    this.simulation.links.release(id)
    return this.#settle()
  }

  /** Messages arrive, oldest first, also those that this makes others send, until none is on its way. With `isWanted` only such ones. */
  async receiveAll(isWanted: (message: HeldMessage) => boolean = () => true): Promise<readonly StepLine[]> {
    const lines: StepLine[] = []
    for (let count = 0; count < MOST_MESSAGES; count += 1) {
      const next = this.pending().find(isWanted)
      if (!next) return lines
      lines.push(...(await this.receive(next.id)))
    }
    throw this.simulation.failure('liveness', `expected an end of the messages within ${MOST_MESSAGES} of them`)
  }

  /** A client submits a transaction of that name; throws a RangeError if the member is down. */
  async submit(member: MemberIndex, name: string): Promise<readonly StepLine[]> {
    if (!this.simulation.peer(member).submit(makeTransaction(name))) throw new RangeError(`expected a member that runs, found vp${member}, which is down`)
    return this.#settle()
  }

  /** Virtual time passes: timers run out. */
  async wait(ms: number): Promise<readonly StepLine[]> {
    await this.simulation.run(ms)
    return this.#settle()
  }

  async crash(member: MemberIndex, kind: CrashKind = 'power'): Promise<readonly StepLine[]> {
    this.simulation.peer(member).crash(kind)
    return this.#settle()
  }

  /** A member that is down starts with what its disk holds. */
  async start(member: MemberIndex): Promise<readonly StepLine[]> {
    this.simulation.peer(member).start()
    return this.#settle()
  }

  async #settle(): Promise<readonly StepLine[]> {
    await this.simulation.run(0)
    return this.#news()
  }

  #news(): readonly StepLine[] {
    const news: StepLine[] = []
    for (const recording of this.recordings) {
      const from = this.#seen.get(recording) ?? 0
      for (const { event, effects } of recording.calls.slice(from)) {
        const text = [`vp${recording.self} < ${describeLifeEvent(event, this.decode)}`, ...effects.map((effect) => `    ${effect}`)].join('\n')
        news.push({ member: recording.self, event, effects, text })
      }
      this.#seen.set(recording, recording.calls.length)
    }
    return news
  }
}
