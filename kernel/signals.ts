import { PeerError, messageOf } from './errors.js'
import type { Peer } from './peer.js'

/** What is needed of `process`; tests bring their own. */
export interface SignalSource {
  on(event: string, listener: (subject: unknown) => void): unknown
  off(event: string, listener: (subject: unknown) => void): unknown
  exit(code: number): void
  readonly stdout: { write(text: string): unknown }
  readonly stderr: { write(text: string): unknown }
}

/** Names as v0.6 prints them (spec/node.md §3), and the shell's exit codes for being killed by them. */
const SIGNALS = { SIGINT: { name: 'interrupt', exitCode: 130 }, SIGTERM: { name: 'terminated', exitCode: 143 } } as const

const LINGER_MS = 2000

/**
 * Starts a peer and waits until it has stopped. SIGINT and SIGTERM print an empty line and the signal's name and stop it in good
 * order; a second signal ends the process at once, with 130 or 143. What nobody caught stops it as a failure.
 *
 * @returns the exit code: 0 after a signal or a request, 1 after a failure
 * @throws what `peer.start()` throws, unless a signal came meanwhile
 */
export async function runUntilStopped(peer: Peer, source: SignalSource): Promise<number> {
  let signalled = false
  const stop = (why: string, failed: boolean): void => {
    peer.stop({ why, failed }).catch((error: unknown) => source.stderr.write(`Error: ${messageOf(error)}\n`))
  }
  const listeners: [event: string, listener: (subject: unknown) => void][] = Object.entries(SIGNALS).map(([signal, { name, exitCode }]) => [
    signal,
    () => {
      if (signalled) return source.exit(exitCode)
      signalled = true
      source.stdout.write(`\n${name}\n`)
      stop(name, false)
    },
  ])
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    listeners.push([event, (reason) => peer.abort(`${event}: ${reason instanceof Error ? (reason.stack ?? reason.message) : messageOf(reason)}`)])
  }
  for (const [event, listener] of listeners) source.on(event, listener)
  try {
    try {
      await peer.start()
    } catch (error) {
      const { failed } = await peer.finished
      if (failed || !isStopped(error)) throw error
    }
    const code = (await peer.finished).failed ? 1 : 0
    // What a plugin left open must not keep the process of a stopped peer; the timer itself does not.
    setTimeout(() => source.exit(code), LINGER_MS).unref()
    return code
  } finally {
    for (const [event, listener] of listeners) source.off(event, listener)
  }
}

/** True if a start ended because the peer was asked to stop, not because something failed. */
function isStopped(error: unknown): boolean {
  return error instanceof PeerError && error.code === 'ERR_PEER_STOPPED'
}
