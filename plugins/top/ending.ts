import type { EventEmitter } from 'node:events'

/** How a command that goes on for ever is told to end. */
export interface Ending {
  /** The exit code: 0 after SIGINT or a reader that went away, the shell's own for other signals. Rejects with what is wrong with the stream. */
  readonly code: Promise<number>
  end(code: number): void
  /** Signals have their usual effects again. */
  forget(): void
}

const SIGNALS = { SIGINT: 0, SIGTERM: 143, SIGHUP: 129 } as const

/** Listens for signals, and for the end of whoever reads `output`. */
export function ended(output: Pick<EventEmitter, 'on' | 'off'>): Ending {
  let end: (code: number) => void = () => undefined
  let fail: (error: unknown) => void = () => undefined
  const code = new Promise<number>((resolve, reject) => {
    end = resolve
    fail = reject
  })
  // It may be rejected while nobody waits for it; whoever does is told.
  code.catch(() => undefined)
  const listeners = Object.entries(SIGNALS).map(([signal, exitCode]) => [signal, () => end(exitCode)] as const)
  const onError = (error: Error): void => ('code' in error && (error.code === 'EPIPE' || error.code === 'EIO') ? end(0) : fail(error))
  for (const [signal, listener] of listeners) process.on(signal, listener)
  output.on('error', onError)
  return {
    code,
    end,
    forget() {
      for (const [signal, listener] of listeners) process.off(signal, listener)
      // What was written last may fail later still.
      output.off('error', onError)
      output.on('error', () => undefined)
    },
  }
}
