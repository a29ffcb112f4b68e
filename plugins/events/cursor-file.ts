import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { PeerError, messageOf } from '../../kernel/index.js'
import { parsePosition } from './position.js'

/** The id of the last event that was dealt with, kept in a file that is always whole: replaced in one step, after its contents are on disk. */
export class CursorFile {
  constructor(private readonly path: string) {}

  /** The id, `undefined` without a file. Throws ERR_EVENTS_CURSOR or ERR_EVENTS_POSITION. */
  read(): string | undefined {
    let text: string
    try {
      text = readFileSync(this.path, 'utf8').trim()
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
      throw new PeerError('ERR_EVENTS_CURSOR', `cannot read the cursor ${this.path}: ${messageOf(cause)}`, { cause })
    }
    parsePosition(text, this.path)
    return text
  }

  write(id: string): void {
    const draft = `${this.path}.new`
    try {
      const file = openSync(draft, 'w', 0o644)
      try {
        writeSync(file, `${id}\n`)
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
      renameSync(draft, this.path)
    } catch (cause) {
      throw new PeerError('ERR_EVENTS_CURSOR', `cannot write the cursor ${this.path}: ${messageOf(cause)}`, { cause })
    }
  }
}
