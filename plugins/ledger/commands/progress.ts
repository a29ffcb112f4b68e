import type { Writable } from 'node:stream'

const LINE_EVERY_MS = 100

/** A line on a terminal that is written over and over; nothing where stderr is no terminal. */
export class ProgressLine {
  private lastAt = 0

  constructor(private readonly stderr: Writable) {}

  show(text: string): void {
    if (!this.isTerminal()) return
    const now = Date.now()
    if (now - this.lastAt < LINE_EVERY_MS) return
    this.lastAt = now
    this.stderr.write(`\r${text}\u001b[K`)
  }

  clear(): void {
    if (this.isTerminal()) this.stderr.write('\r\u001b[K')
  }

  private isTerminal(): boolean {
    return 'isTTY' in this.stderr && this.stderr.isTTY === true
  }
}
