import { messageOf } from '../../../kernel/index.js'
import type { EngineEvent, EngineStart, SeatOptions } from '../../consensus/index.js'
import { type ContainedProcess, FrameReader, joinFrames } from '../../sandbox/index.js'
import { pack } from '../codec.js'
import type { FromEngine, ToEngine } from '../messages.js'
import { effectsOf, readAnswer } from './answers.js'
import { EventQueue } from './event-queue.js'
import { FloodGuard } from './flood-guard.js'
import type { ProcessLimits } from './limits.js'
import { Watchdog } from './watchdog.js'

const DISPOSE_MS = 2000

export interface EngineProcessOptions {
  readonly launch: () => Promise<ContainedProcess>
  readonly limits: ProcessLimits
  readonly seat: SeatOptions
  /** JSON. */
  readonly options: string
  readonly start: EngineStart
  /** The engine broke a rule, or cannot be started. The process is gone or going. */
  readonly broke: (reason: string) => void
  /** The process is gone, and broke no rule. */
  readonly died: (reason: string) => void
}

/** One life of an engine in a process of its own: events go out with credit, answers come back in order, each with the effects of one handler. */
export class EngineProcess {
  private readonly queue: EventQueue
  private readonly guard: FloodGuard
  private readonly watchdog: Watchdog
  private readonly reader: FrameReader
  private contained: ContainedProcess | undefined
  private isOver = false
  private isBusy = false
  /** Waits for the answer to `dispose`. */
  private onDisposed: (() => void) | undefined
  private isDisposing = false
  private readonly launched: Promise<void>

  constructor(private readonly options: EngineProcessOptions) {
    const { limits, seat, start } = options
    this.queue = new EventQueue(seat, (name) => this.guard.claimed(name))
    this.guard = new FloodGuard(limits, seat.clock, start.restored, seat.members.length)
    this.reader = new FrameReader(limits.maxAnswerBytes)
    this.watchdog = new Watchdog(seat.clock, () => this.late())
    this.queue.create()
    this.watchdog.expect(limits.startTimeoutMs)
    this.launched = options.launch().then(
      (contained) => this.opened(contained),
      (error: unknown) => this.breach(`its process cannot be started: ${messageOf(error)}`),
    )
  }

  get isCongested(): boolean {
    return this.queue.isCongested
  }

  post(event: EngineEvent): void {
    if (this.isOver || this.isDisposing) return
    this.queue.push(event)
    this.pump()
  }

  /** Ends at once. */
  end(reason: string): void {
    if (this.isOver) return
    this.isOver = true
    this.watchdog.stop()
    this.queue.clear()
    this.contained?.kill(reason)
    this.onDisposed?.()
  }

  /** Lets the engine free what it holds, for a while, then ends. Resolves when the process is gone. */
  async dispose(): Promise<void> {
    if (!this.isOver && this.contained !== undefined) {
      this.isDisposing = true
      this.queue.clear()
      const done = new Promise<void>((resolve) => {
        this.onDisposed = resolve
      })
      const cancel = this.options.seat.clock.setTimer(DISPOSE_MS, () => this.onDisposed?.())
      this.write([{ type: 'dispose', now: this.options.seat.now() }])
      await done
      cancel()
    }
    this.end('it is stopped')
    await this.gone()
  }

  /** Resolves when nothing of the process is left. */
  async gone(): Promise<void> {
    await this.launched
    await this.contained?.ended
  }

  private opened(contained: ContainedProcess): void {
    this.contained = contained
    contained.ended.then(
      (reason) => this.lost(reason),
      (error: unknown) => this.lost(messageOf(error)),
    )
    if (this.isOver) return contained.kill('it is stopped')
    contained.pipe.on('data', (chunk: Buffer) => this.receive(chunk))
    contained.pipe.on('drain', () => this.pump())
    const { seat, start, options, limits } = this.options
    const { self, members, deliveryWindow } = seat
    const { restored, members: _, ...rest } = start
    this.write([{ type: 'create', now: seat.now(), options, self, members, deliveryWindow, start: { ...rest, restored: [...restored] }, limits }])
  }

  private write(messages: readonly ToEngine[]): void {
    this.contained?.pipe.write(joinFrames(messages.map(pack)))
  }

  /** Sends what there is credit for. */
  private pump(): void {
    const { contained, isBusy } = this
    if (contained === undefined || isBusy || this.isOver || this.isDisposing || contained.pipe.writableNeedDrain) return
    const { seat } = this.options
    const wasCongested = this.queue.isCongested
    const messages: ToEngine[] = []
    for (let event = this.queue.next(); event; event = this.queue.next()) {
      seat.observe?.(event)
      messages.push({ type: 'event', now: seat.now(), event })
    }
    if (messages.length === 0) return
    this.watchdog.expect(this.queue.isCreating ? this.options.limits.startTimeoutMs : this.options.limits.maxHandlerMs)
    this.write(messages)
    if (wasCongested && !this.queue.isCongested) seat.resume()
  }

  private receive(chunk: Buffer): void {
    if (this.isOver) return
    this.isBusy = true
    try {
      for (const frame of this.reader.push(chunk)) {
        if (this.isOver) return
        this.answered(readAnswer(frame), frame.length)
      }
    } catch (error) {
      this.breach(`it broke the rules of its pipe: ${messageOf(error)}`)
    } finally {
      this.isBusy = false
    }
    this.pump()
  }

  private answered(answer: FromEngine, bytes: number): void {
    const { seat, limits } = this.options
    const what = this.queue.answered()
    if (what === undefined && !this.isDisposing) return this.breach('it broke the rules of its pipe: an answer to nothing')
    if (this.queue.unanswered > 0) this.watchdog.expect(limits.maxHandlerMs)
    else this.watchdog.stop()
    if (answer.type === 'failed') return this.breach(answer.reason)
    if (answer.type !== 'effects') return this.breach(`it broke the rules of its pipe: '${answer.type}' in answer to '${what ?? 'dispose'}'`)
    const effects = effectsOf(answer, seat.self, seat.members.length)
    const flood = this.guard.count(effects, bytes)
    if (flood !== undefined) return this.breach(flood)
    const dropped = this.guard.takeDropped()
    if (dropped > 0) seat.log.warning(`${dropped} log lines of the engine were dropped: it wrote too many in a second`)
    const quiet = this.guard.quiet(effects)
    if (!this.isDisposing) return seat.carryOut(quiet)
    // What was asked for before the end is not carried out any more.
    if (what !== undefined) return
    seat.carryOut(quiet.filter(({ type }) => type === 'log'))
    this.onDisposed?.()
  }

  private late(): void {
    const { maxHandlerMs, startTimeoutMs } = this.options.limits
    const what = this.queue.oldest
    const reason =
      what === 'create'
        ? `it was not ready after ${startTimeoutMs} ms`
        : `it did not answer '${what}' within ${maxHandlerMs} ms: its handler does not end, or this machine is overloaded`
    this.contained?.kill(reason)
    if (this.contained === undefined) this.breach(reason)
  }

  private breach(reason: string): void {
    if (this.isOver) return
    const { isDisposing } = this
    this.end(reason)
    if (!isDisposing) this.options.broke(reason)
  }

  private lost(reason: string): void {
    if (this.isOver) return
    const { isDisposing } = this
    this.end(reason)
    if (!isDisposing) this.options.died(reason)
  }
}
