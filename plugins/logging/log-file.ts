import { closeSync, openSync, writeSync } from 'node:fs'
import { PeerError, messageOf } from '../../kernel/index.js'
import type { LogStream } from './format.js'
import { standardError } from './standard-error.js'

/**
 * A log file: appended to, written before the call returns. When it cannot be written, lines go to stderr, and one says why, until it can be
 * written again. Throws ERR_LOGGING_FILE if it cannot be opened.
 */
export function createLogFile(path: string): LogStream {
  let handle: number | undefined = open(path)
  let isFailing = false
  const fail = (cause: unknown): void => {
    if (!isFailing) standardError.write(`the log file ${path} cannot be written, what follows is on stderr: ${messageOf(cause)}\n`)
    isFailing = true
  }
  return {
    write(line) {
      try {
        if (handle === undefined) throw new Error('it is not open')
        writeAll(handle, Buffer.from(line))
        isFailing = false
      } catch (cause) {
        fail(cause)
        standardError.write(line)
      }
    },
    reopen() {
      try {
        const fresh = open(path)
        if (handle !== undefined) closeSync(handle)
        handle = fresh
        return true
      } catch (cause) {
        // What is open stays in use: a line in the file that was moved is better than none.
        standardError.write(`${messageOf(cause)}\n`)
        return false
      }
    },
  }
}

function writeAll(handle: number, bytes: Uint8Array): void {
  for (let rest = bytes; rest.length > 0; ) rest = rest.subarray(writeSync(handle, rest))
}

function open(path: string): number {
  try {
    return openSync(path, 'a', 0o640)
  } catch (cause) {
    throw new PeerError('ERR_LOGGING_FILE', `logging.file: cannot open ${path}: ${messageOf(cause)}`, {
      cause,
      hint: 'make its directory, and let the user of the peer write there; or leave logging.file empty and log to stderr',
    })
  }
}
