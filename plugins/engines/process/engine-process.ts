import { messageOf } from '../../../kernel/index.js'
import type { EngineEvent, EngineStart, SeatOptions } from '../../consensus/index.js'
import { type ContainedProcess, FrameReader, writeFrames } from '../../sandbox/index.js'
import { pack } from '../codec.js'
import type { FromEngine, ToEngine } from '../messages.js'
import { effectsOf, readAnswer } from './answers.js'
import { EventQueue } from './event-queue.js'
import { FloodGuard } from './flood-guard.js'
import type { ProcessLimits } from './limits.js'
import { openingFrames } from './opening.js'
import { Watchdog } from './watchdog.js'

const DISPOSE_MS = 2000
const WORTH_A_WORD_MS = 200

export interface EngineProcessOptions {
  readonly launch: () => Promise<ContainedProcess>
  readonly limits: ProcessLimits
  readonly seat: SeatOptions
  /** JSON. */
  readonly options: string
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
  /** What is left to be said before the first event; undefined: nothing. */
  private opening: Iterator<Uint8Array> | undefined
  /** Until it is said. */
  private start: EngineStart | undefined
  private readonly hasRecords: boolean
  private isLoaded = false
  /** Since when the process has been busy with what it has not answered for longest. */
  private busySinceMs: number
  private isOver = false
  private isBusy = false
  /** Waits for the answer to `dispose`. */
  private onDisposed: (() => void) | undefined
  private isDisposing = false
  private readonly launched: Promise<void>

  constructor(
    private readonly options: EngineProcessOptions,
    start: EngineStart,
  ) {
    const { limits, seat } = options
    this.start = start
    this.hasRecords = start.restored.size > 0
    this.busySinceMs = seat.clock.elapsedMs()
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

  /** What it has not answered for a while, in words; undefined: nothing. */
  get awaited(): string | undefined {
    const { isOver, queue, isLoaded, busySinceMs } = this
    const ms = Math.round(this.options.seat.clock.elapsedMs() - busySinceMs)
    if (isOver || queue.unanswered === 0 || ms < WORTH_A_WORD_MS) return undefined
    if (!isLoaded) return `its code has been loading for ${ms} ms`
    return queue.isCreating ? `its 'create' has not returned for ${ms} ms` : `it has not answered '${queue.oldest}' for ${ms} ms`
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
    if (!this.isOver && this.contained !== undefined && this.isOpen) {
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
    const { start } = this
    this.start = undefined
    if (this.isOver || start === undefined) return contained.kill('it is stopped')
    const excess = this.guard.excess()
    if (excess !== undefined) return this.breach(excess)
    this.opening = this.openingOf(start)
    contained.pipe.on('data', (chunk: Buffer) => this.receive(chunk))
    contained.pipe.on('drain', () => this.pump())
    this.pump()
  }

  private openingOf(whole: EngineStart): Iterator<Uint8Array> {
    const { seat, options, limits } = this.options
    const { restored, members: _, ...start } = whole
    const { self, members, deliveryWindow } = seat
    return openingFrames({ type: 'create', now: seat.now(), options, self, members, deliveryWindow, start, limits }, restored)
  }

  private write(messages: readonly ToEngine[]): void {
    if (this.contained)
      writeFrames(
        this.contained.pipe,
        messages.map((message) => pack(message)),
      )
  }

  /** Whether everything is said that comes before the first event. */
  private get isOpen(): boolean {
    return this.start === undefined && this.opening === undefined
  }

  /** Says what is left of the opening, as far as the pipe takes it. */
  private open({ pipe }: ContainedProcess): void {
    while (this.opening !== undefined && !pipe.writableNeedDrain) {
      const next = this.opening.next()
      if (next.done === true) this.opening = undefined
      else writeFrames(pipe, [next.value])
    }
  }

  /** Sends what there is credit for. */
  private pump(): void {
    const { contained, isBusy } = this
    if (contained === undefined || isBusy || this.isOver || this.isDisposing) return
    this.open(contained)
    if (!this.isOpen || contained.pipe.writableNeedDrain) return
    const { seat } = this.options
    const wasCongested = this.queue.isCongested
    const wasIdle = this.queue.unanswered === 0
    const messages: ToEngine[] = []
    for (let event = this.queue.next(); event; event = this.queue.next()) {
      seat.observe?.(event)
      messages.push({ type: 'event', now: seat.now(), event })
    }
    if (messages.length === 0) return
    // Who is busy gets no more time for what comes meanwhile.
    if (wasIdle) this.watch()
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
    const { seat } = this.options
    if (answer.type === 'failed') return this.breach(answer.reason)
    if (!this.isLoaded && (answer.type === 'loaded' || answer.type === 'effects')) return this.loaded(answer)
    const what = this.queue.answered()
    if (what === undefined && !this.isDisposing) return this.breach('it broke the rules of its pipe: an answer to nothing')
    if (this.queue.unanswered > 0) this.watch()
    else this.watchdog.stop()
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

  /** Its code is there: what it has been told comes next. */
  private loaded(answer: FromEngine): void {
    if (answer.type !== 'loaded') return this.breach('it broke the rules of its pipe: an answer before its code was loaded')
    this.isLoaded = true
    this.watch()
  }

  /** Waits for what has not been answered for longest. */
  private watch(): void {
    this.busySinceMs = this.options.seat.clock.elapsedMs()
    this.watchdog.expect(this.patienceMs)
  }

  /** To make of its records what it keeps may take an engine longer than an event. */
  private get patienceMs(): number {
    const { maxHandlerMs, startTimeoutMs } = this.options.limits
    return !this.isLoaded || (this.queue.isCreating && this.hasRecords) ? startTimeoutMs : maxHandlerMs
  }

  private late(): void {
    const { isLoaded, patienceMs, queue } = this
    const overloaded = 'or this machine is overloaded'
    if (this.contained === undefined) return this.breach(`its process did not start within ${patienceMs} ms`)
    if (!isLoaded)
      return this.contained.kill(`its code did not load within ${patienceMs} ms: what it does or awaits at the top of a module does not end, ${overloaded}`)
    this.contained.kill(
      queue.isCreating
        ? `its 'create' did not return within ${patienceMs} ms: it does not end, ${overloaded}`
        : `it did not answer '${queue.oldest}' within ${patienceMs} ms: its handler does not end, ${overloaded}`,
    )
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
