import { messageOf } from '../../kernel/index.js'
import type { Effect } from './effects.js'
import type { Engine } from './engine.js'
import { type EngineEvent, handle, headOf } from './events.js'
import { Fifo } from './fifo.js'
import type { EffectRecorder } from './recorder.js'

export interface RunnerOptions {
  readonly recorder: EffectRecorder
  /** Milliseconds of logical time. */
  readonly now: () => number
  /** Whether a timer's event is still wanted. */
  readonly claimTimer: (name: string, generation: number) => boolean
  readonly carryOut: (effects: readonly Effect[]) => void
  /** The engine threw or broke a rule: it must not run again. */
  readonly fault: (reason: string) => void
  /** Sees every event before its handler runs, for recording and simulation. */
  readonly observe: ((event: EngineEvent) => void) | undefined
}

/**
 * Runs an engine's handlers one at a time, never re-entrantly: an event that arises while one runs, or while its effects are carried out,
 * waits its turn.
 */
export class EngineRunner {
  private readonly events = new Fifo<EngineEvent>()
  private engine: Engine | undefined
  /** Also when it gets no more events: it may hold something. */
  private undisposed: Engine | undefined
  private isBusy = false

  constructor(private readonly options: RunnerOptions) {}

  get isRunning(): boolean {
    return this.engine !== undefined
  }

  /** Makes the engine, which may already ask for effects. False if it could not be made. */
  begin(create: () => Engine): boolean {
    this.isBusy = true
    const created = this.call('create', create)
    if (created) {
      this.engine = created.value
      this.undisposed = created.value
      this.options.carryOut(created.effects)
    }
    this.isBusy = false
    this.drain()
    return created !== undefined
  }

  /** Tells the engine something, at once or as soon as its turn comes. Ignored without an engine. */
  post(event: EngineEvent): void {
    if (!this.engine && !this.isBusy) return
    this.events.push(event)
    if (!this.isBusy) this.drain()
  }

  /** The engine gets no more events. */
  end(): void {
    this.engine = undefined
    this.events.clear()
  }

  /** Lets the engine free what it holds; what it asks for then is not carried out, except its log lines. */
  dispose(): void {
    const engine = this.undisposed
    this.end()
    this.undisposed = undefined
    if (!engine?.dispose) return
    const disposed = this.call('dispose', () => engine.dispose?.())
    if (disposed) this.options.carryOut(disposed.effects.filter(({ type }) => type === 'log'))
  }

  private drain(): void {
    this.isBusy = true
    try {
      for (let event = this.events.shift(); event; event = this.events.shift()) this.handle(event)
    } finally {
      this.isBusy = false
    }
  }

  private handle(event: EngineEvent): void {
    const { engine, options } = this
    if (!engine) return
    if (event.type === 'timer' && !options.claimTimer(event.name, event.generation)) return
    const head = headOf(event)
    if (head) options.recorder.head = head
    options.observe?.(event)
    const handled = this.call(event.type, () => handle(engine, event))
    if (!handled) return
    if (handled.value instanceof Promise) options.fault(`the handler of '${event.type}' returned a promise: handlers are synchronous`)
    else options.carryOut(handled.effects)
  }

  /** Runs one handler; if it throws, nothing that it asked for is carried out. */
  private call<T>(what: string, handler: () => T): { value: T; effects: readonly Effect[] } | undefined {
    const { recorder, now, fault } = this.options
    recorder.begin(now())
    try {
      const value = handler()
      return { value, effects: recorder.end() }
    } catch (error) {
      recorder.end()
      fault(`the engine threw in '${what}': ${messageOf(error)}`)
      return undefined
    }
  }
}
