import { open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

const EVERY_MS = 20
const RECORD = new Uint8Array(4096)

/** A synced write of a bystander: when it began, in milliseconds since 1970, and how long it took. */
export interface DiskWrite {
  readonly atMs: number
  readonly ms: number
}

/** Appends 4 KiB to a file and waits until they are on the disk, again and again: what the disk under the validators does to everybody at that time. */
export class DiskBystander {
  readonly writes: DiskWrite[] = []
  private isOver = false
  private readonly working: Promise<{ readonly failure?: unknown }>

  /** @param file on the same disk as the stores of the validators */
  constructor(file: string) {
    this.working = this.work(file).then(
      () => ({}),
      (failure: unknown) => ({ failure }),
    )
  }

  /** Throws what a write threw: there were no more after it. */
  async stop(): Promise<void> {
    this.isOver = true
    const { failure } = await this.working
    if (failure !== undefined) throw failure
  }

  /** The longest write that was under way at any time of a window, in milliseconds. */
  longest(fromMs: number, toMs: number): number {
    return this.writes.reduce((longest, { atMs, ms }) => (atMs < toMs && atMs + ms > fromMs ? Math.max(longest, ms) : longest), 0)
  }

  private async work(file: string): Promise<void> {
    const handle = await open(file, 'w')
    try {
      while (!this.isOver) {
        const atMs = Date.now()
        const began = performance.now()
        await handle.write(RECORD)
        await handle.datasync()
        this.writes.push({ atMs, ms: performance.now() - began })
        await sleep(EVERY_MS)
      }
    } finally {
      await handle.close()
    }
  }
}
