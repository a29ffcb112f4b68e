import type { Readable } from 'node:stream'
import type { Clock, Logger } from '../../kernel/index.js'
import { printable } from '../terminal/index.js'

const MAX_LINE_BYTES = 4096
const MAX_LINES_PER_SECOND = 200
/** Beyond this the stream is not read until the second is over, so that a flood costs its sender and not the peer. */
const MAX_BYTES_PER_SECOND = 256 * 1024
const WINDOW_MS = 1000
const LEVELS = ['debug', 'info', 'warning', 'error'] as const

/** Copies what a contained process prints to the log, line by line, with limits on length and rate. */
export function logOutput(stream: Readable, log: Logger, clock: Clock, fallback: 'info' | 'warning', who: string): void {
  let line = Buffer.alloc(0)
  let windowStart = clock.elapsedMs()
  let lines = 0
  let bytes = 0
  let dropped = 0

  const nextWindow = () => {
    if (dropped > 0)
      log.warning(`${dropped} lines of ${who} were dropped: it printed more than ${MAX_LINES_PER_SECOND} lines or ${MAX_BYTES_PER_SECOND} bytes in a second`)
    windowStart = clock.elapsedMs()
    lines = bytes = dropped = 0
  }
  const print = (text: string) => {
    lines += 1
    if (lines > MAX_LINES_PER_SECOND) {
      dropped += 1
      return
    }
    const space = text.indexOf(' ')
    const level = LEVELS.find((name) => name === text.slice(0, space))
    if (level === undefined) log[fallback](printable(text))
    else log[level](printable(text.slice(space + 1)))
  }

  stream.on('data', (chunk: Buffer) => {
    if (clock.elapsedMs() - windowStart >= WINDOW_MS) nextWindow()
    bytes += chunk.length
    let at = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, at)) {
      print(Buffer.concat([line, chunk.subarray(at, Math.min(end, at + MAX_LINE_BYTES - line.length))]).toString())
      line = Buffer.alloc(0)
      at = end + 1
    }
    line = Buffer.concat([line, chunk.subarray(at, at + Math.max(0, MAX_LINE_BYTES - line.length))])
    if (bytes > MAX_BYTES_PER_SECOND) {
      stream.pause()
      clock.setTimer(WINDOW_MS, () => {
        nextWindow()
        stream.resume()
      })
    }
  })
  // The end of the process is what counts; a broken pipe says nothing more.
  stream.on('error', (error) => log.debug(`reading the output of ${who} ended: ${error.message}`))
  stream.on('end', () => {
    if (line.length > 0) print(line.toString())
  })
}
