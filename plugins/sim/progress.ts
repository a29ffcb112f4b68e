import type { Tally } from './outcome.js'
import { progressLine, progressText } from './summary.js'

/** Between two lines where nobody sees a bar move. */
const EVERY_MS = 10_000

/** What a person or a log is told while seeds are played: a bar on a terminal, else a line every ten seconds. */
export class Progress {
  readonly #startedMs = performance.now()
  #toldMs = this.#startedMs

  constructor(
    private readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean },
    private readonly total: number,
    /** Each line is an object then. */
    private readonly isJson: boolean,
  ) {}

  /** After each seed. */
  seeds({ seeds, failures }: Tally): void {
    const nowMs = performance.now()
    if (this.#isSeen) return void this.stderr.write(progressLine(seeds, this.total, failures.length, nowMs - this.#startedMs))
    if (nowMs - this.#toldMs < EVERY_MS) return
    this.#toldMs = nowMs
    const text = progressText(seeds, this.total, failures.length, nowMs - this.#startedMs)
    this.stderr.write(this.isJson ? `${JSON.stringify({ progress: { seeds, of: this.total, failed: failures.length } })}\n` : `${text}\n`)
  }

  /** Something that takes long. */
  doing(text: string): void {
    if (this.#isSeen) this.stderr.write(text)
    else if (!this.isJson) this.stderr.write(`${text}\n`)
  }

  /** Leaves an empty line to write on. */
  clear(): void {
    if (this.#isSeen) this.stderr.write('\r\u001b[K')
  }

  get #isSeen(): boolean {
    return this.stderr.isTTY === true && !this.isJson
  }
}
