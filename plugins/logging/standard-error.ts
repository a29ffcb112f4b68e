import { writeSync } from 'node:fs'
import type { LogStream } from './format.js'

const RETRY_MS = 5

/** stderr, written before the call returns. A full pipe is waited for; a line that nobody can read any more is dropped. */
export const standardError: LogStream = Object.freeze<LogStream>({
  write(line) {
    let rest: Uint8Array = Buffer.from(line)
    while (rest.length > 0) {
      try {
        rest = rest.subarray(writeSync(2, rest))
      } catch (cause) {
        // Another error (EPIPE: the reader is gone) has nowhere to be reported.
        if (!(cause instanceof Error && 'code' in cause && cause.code === 'EAGAIN')) return
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS)
      }
    }
  },
})
