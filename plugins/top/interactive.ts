import type { Readable } from 'node:stream'
import { ReadStream, type WriteStream } from 'node:tty'
import { ended } from './ending.js'
import { frameOf } from './frame.js'
import { painted, wantsColours } from './paint.js'
import { Screen } from './screen.js'
import type { Watch } from './watch.js'

export interface InteractiveParts {
  readonly watch: Watch
  readonly terminal: WriteStream
  readonly stdin: Readable
  readonly env: Readonly<Record<string, string | undefined>>
  readonly intervalMs: number
}

/** At least so often: the clock of the frame shows seconds, and a swap takes less. */
const FRAME_MS = 200
const CTRL_C = '\u0003'
const CTRL_D = '\u0004'
const CTRL_L = '\u000c'
const CTRL_Z = '\u001a'

/** Draws until q or a signal; the terminal is as it was then. Returns the exit code. */
export async function runInTerminal({ watch, terminal, stdin, env, intervalMs }: InteractiveParts): Promise<number> {
  const ending = ended(terminal)
  const hasColours = wantsColours(true, env)
  const screen = new Screen({
    write: (text) => void terminal.write(text),
    get takesFrames() {
      return !terminal.writableNeedDrain
    },
  })
  const draw = (): void => {
    const { columns, rows } = terminal
    screen.show(frameOf(watch.picture(), { columns, rows }).map((line) => painted(line, hasColours)))
  }
  const redraw = (): void => {
    screen.clear()
    draw()
  }
  const keys = keyboard(stdin, {
    end: () => ending.end(0),
    redraw,
    suspend() {
      screen.leave()
      keys.pause()
      process.kill(process.pid, 'SIGSTOP')
    },
  })
  const resume = (): void => {
    keys.resume()
    screen.enter()
    draw()
  }
  // Also when something goes wrong that nobody foresaw: writes to terminals are synchronous.
  const leave = (): void => screen.leave()
  process.on('exit', leave)
  process.on('SIGCONT', resume)
  terminal.on('resize', redraw)
  screen.enter()
  draw()
  const timer = setInterval(draw, Math.min(FRAME_MS, intervalMs))
  try {
    return await ending.code
  } finally {
    clearInterval(timer)
    terminal.off('resize', redraw)
    process.off('SIGCONT', resume)
    keys.pause()
    leave()
    process.off('exit', leave)
    ending.forget()
  }
}

interface Keys {
  pause(): void
  resume(): void
}

function keyboard(stdin: Readable, actions: { end(): void; redraw(): void; suspend(): void }): Keys {
  if (!(stdin instanceof ReadStream)) return { pause: () => undefined, resume: () => undefined }
  const onKeys = (bytes: Buffer): void => {
    for (const key of bytes.toString('latin1')) {
      if (key === 'q' || key === 'Q' || key === CTRL_C || key === CTRL_D) actions.end()
      else if (key === CTRL_L) actions.redraw()
      else if (key === CTRL_Z) actions.suspend()
    }
  }
  const keys = {
    pause() {
      stdin.off('data', onKeys)
      stdin.setRawMode(false)
      stdin.pause()
    },
    resume() {
      stdin.setRawMode(true)
      stdin.on('data', onKeys)
      stdin.resume()
    },
  }
  keys.resume()
  return keys
}
