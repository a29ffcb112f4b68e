import { type Clock, PeerError } from '../../../kernel/index.js'
import type { Link } from '../link.js'

/** What may wait altogether before the neighbour is slowed down. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024

export interface RepliesOptions {
  readonly link: Pick<Link, 'pause' | 'resume'>
  readonly clock: Clock
  /** Replies that may wait before the neighbour is slowed down; reading it stops then, also of its consensus messages, until half is used up. */
  readonly maxWaiting: number
  /** Replies after which there is one too many: more is a breach. */
  readonly maxReplies: number
}

/** Replies to one request, in order. */
export class Replies<T> {
  private readonly waiting: { readonly reply: T; readonly bytes: number }[] = []
  private waitingBytes = 0
  private received = 0
  private isPaused = false
  private failure: PeerError | undefined
  private wake = (): void => undefined

  constructor(private readonly options: RepliesOptions) {}

  push(reply: T, bytes: number): void {
    if (this.failure !== undefined) return
    this.received++
    if (this.received > this.options.maxReplies) return this.fail(`it sent more than the ${this.options.maxReplies} that were asked for`)
    this.waiting.push({ reply, bytes })
    this.waitingBytes += bytes
    if (!this.isPaused && (this.waiting.length >= this.options.maxWaiting || this.waitingBytes >= MAX_WAITING_BYTES)) {
      this.isPaused = true
      this.options.link.pause()
    }
    this.wake()
  }

  /** The next reply. Throws ERR_SYNC_SILENT after so long without one, ERR_SYNC_ENDED if no more will come. */
  async next(timeoutMs: number): Promise<T> {
    if (this.waiting.length === 0 && this.failure === undefined) await this.arrival(timeoutMs)
    const item = this.waiting.shift()
    if (item === undefined) throw this.failure ?? new PeerError('ERR_SYNC_SILENT', `nothing came within ${timeoutMs / 1000} s`, { retryable: true })
    this.waitingBytes -= item.bytes
    if (this.isPaused && this.waiting.length <= this.options.maxWaiting / 2 && this.waitingBytes <= MAX_WAITING_BYTES / 2) this.unpause()
    return item.reply
  }

  /** Nothing more is expected; what waits is dropped. */
  fail(reason: string): void {
    this.failure ??= new PeerError('ERR_SYNC_ENDED', reason, { retryable: true })
    this.waiting.length = 0
    this.waitingBytes = 0
    this.unpause()
    this.wake()
  }

  private unpause(): void {
    if (!this.isPaused) return
    this.isPaused = false
    this.options.link.resume()
  }

  private arrival(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.options.clock.setTimer(timeoutMs, () => this.wake())
      this.wake = () => {
        this.wake = () => undefined
        cancel()
        resolve()
      }
    })
  }
}
