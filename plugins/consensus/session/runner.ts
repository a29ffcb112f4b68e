import type { Effect } from '../engine/effects.js'
import type { Engine, EngineFactory, EngineHost, EngineStart } from '../engine/engine.js'
import { type EngineEvent, handle, headOf } from '../engine/events.js'
import { Fifo } from '../fifo.js'
import { thrownInProcess } from './place-in-process.js'
import { createRandom } from './random.js'
import { createRecorder, type EffectRecorder } from './recorder.js'
import type { EngineSeat, SeatMaker, SeatOptions } from '../engine/seat.js'
import { createdEngine, isPromise } from '../engine/returned.js'

/** Effects of one handler, far above what any needs: an engine that asks without end must not take the memory of its peer. */
const MAX_EFFECTS = 250_000
/** Events handled without a turn of the event loop, which some answers need not wait for: an engine that asks again in each would leave none to its peer. */
const MAX_EVENTS_PER_TURN = 250_000

/** Seats of an engine in this process. */
export function inProcess<O>(factory: Pick<EngineFactory<O>, 'create'>, options: O): SeatMaker {
  return (seat) => new EngineRunner(seat, (host, start) => factory.create(host, options, start))
}

/**
 * Runs an engine's handlers one at a time, never re-entrantly: an event that arises while one runs, or while its effects are carried out,
 * waits its turn.
 */
class EngineRunner implements EngineSeat {
  /** An engine in process handles what it is told before `post` returns. */
  readonly isCongested = false
  readonly awaited = undefined
  private readonly events = new Fifo<EngineEvent>()
  private recorder: EffectRecorder | undefined
  private engine: Engine | undefined
  /** Also when it gets no more events: it may hold something. */
  private undisposed: Engine | undefined
  private isBusy = false

  constructor(
    private readonly options: SeatOptions,
    private readonly create: (host: EngineHost, start: EngineStart) => Engine,
  ) {}

  get isRunning(): boolean {
    return this.engine !== undefined
  }

  begin(start: EngineStart): boolean {
    const { self, members, deliveryWindow } = this.options
    const recorder = createRecorder({ self, members, head: start.head, deliveryWindow, random: createRandom(start.seed), maxEffects: MAX_EFFECTS })
    this.recorder = recorder
    this.isBusy = true
    const created = this.call('create', recorder, () => createdEngine(this.create(recorder.host, start)))
    if (created) {
      this.engine = created.value
      this.undisposed = created.value
      this.options.carryOut(created.effects)
    }
    this.isBusy = false
    this.drain()
    return created !== undefined
  }

  post(event: EngineEvent): void {
    if (!this.engine && !this.isBusy) return
    this.events.push(event)
    if (!this.isBusy) this.drain()
  }

  end(): void {
    this.engine = undefined
    this.events.clear()
  }

  dispose(): Promise<void> {
    const { undisposed: engine, recorder } = this
    this.end()
    this.undisposed = undefined
    if (engine?.dispose && recorder) {
      const disposed = this.call('dispose', recorder, () => isPromise(engine.dispose?.()))
      if (disposed) this.options.carryOut(disposed.effects.filter(({ type }) => type === 'log'))
    }
    return Promise.resolve()
  }

  private drain(): void {
    this.isBusy = true
    try {
      let handled = 0
      for (let event = this.events.shift(); event; event = this.events.shift()) {
        if (++handled > MAX_EVENTS_PER_TURN)
          this.options.fault(`it asks for more in each answer without end: the last of ${MAX_EVENTS_PER_TURN} was '${event.type}'`)
        this.handle(event)
      }
    } finally {
      this.isBusy = false
    }
  }

  private handle(event: EngineEvent): void {
    const { engine, options, recorder } = this
    if (!engine || !recorder) return
    if (event.type === 'timer' && !options.claimTimer(event.name, event.generation)) return
    const head = headOf(event)
    if (head) recorder.head = head
    options.observe?.(event)
    // If it throws, nothing that it asked for is carried out.
    recorder.begin(options.now())
    let returnedPromise: boolean
    try {
      returnedPromise = isPromise(handle(engine, event))
    } catch (error) {
      return this.threw(event.type, recorder, error)
    }
    const effects = recorder.end()
    if (returnedPromise) options.fault(`the handler of '${event.type}' returned a promise: handlers are synchronous`)
    else options.carryOut(effects)
  }

  /** Runs what is no event; if it throws, nothing that it asked for is carried out. */
  private call<T>(what: string, recorder: EffectRecorder, handler: () => T): { value: T; effects: readonly Effect[] } | undefined {
    recorder.begin(this.options.now())
    try {
      const value = handler()
      return { value, effects: recorder.end() }
    } catch (error) {
      this.threw(what, recorder, error)
      return undefined
    }
  }

  private threw(what: string, recorder: EffectRecorder, error: unknown): void {
    recorder.end()
    this.options.fault(`the engine threw in '${what}': ${thrownInProcess(error)}`)
  }
}
