import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { ended } from './ending.js'
import { sampleOf } from './sample.js'
import type { Watch } from './watch.js'
import { toJsonLine } from './json-line.js'

export interface StreamParts {
  readonly watch: Watch
  readonly stdout: Writable
  readonly intervalMs: number
}

/** One sample a line until a signal comes, or the reader goes. Returns the exit code. */
export async function streamSamples({ watch, stdout, intervalMs }: StreamParts): Promise<number> {
  const ending = ended(stdout)
  try {
    for (;;) {
      const code = await Promise.race([ending.code, new Promise<undefined>((resolve) => void setTimeout(() => resolve(undefined), intervalMs))])
      if (code !== undefined) return code
      // A reader that is slow gets fewer samples.
      if (!stdout.write(toJsonLine(sampleOf(watch.picture())))) await Promise.race([ending.code, once(stdout, 'drain')])
    }
  } finally {
    ending.forget()
  }
}
