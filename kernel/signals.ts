import { PeerError, messageOf } from './errors.js'
import type { Peer } from './peer.js'

const LINGER_MS = 2000

/**
 * Starts a peer and waits until it has stopped. SIGINT and SIGTERM print an empty line and the signal's name and stop it in good
 * order; a second signal ends the process at once, with 130 or 143. What nobody caught stops it as a failure.
 * Returns the exit code: 0 after a signal or a request, 1 after a failure. Throws what `peer.start()` throws, unless a signal came meanwhile.
 */
export async function runUntilStopped(peer: Peer, source: NodeJS.Process): Promise<number> {
  let signalled = false
  let ended: number | undefined
  const onSignal = (name: string, exitCode: number) => (): void => {
    if (ended !== undefined || signalled) return source.exit(ended ?? exitCode)
    signalled = true
    source.stdout.write(`\n${name}\n`)
    peer.stop({ why: name, failed: false }).catch((error: unknown) => source.stderr.write(`Error: ${messageOf(error)}\n`))
  }
  const onStray = (event: string) => (reason: unknown) =>
    peer.abort(`${event}: ${reason instanceof Error ? (reason.stack ?? reason.message) : messageOf(reason)}`)
  // Names as v0.6 prints them (spec/node.md §3), and the shell's exit codes for being killed by them.
  const listeners: Readonly<Record<string, (subject: unknown) => void>> = {
    SIGINT: onSignal('interrupt', 130),
    SIGTERM: onSignal('terminated', 143),
    uncaughtException: onStray('uncaughtException'),
    unhandledRejection: onStray('unhandledRejection'),
  }
  for (const [event, listener] of Object.entries(listeners)) source.on(event, listener)
  try {
    await peer.start().catch(async (error: unknown) => {
      const wasAsked = error instanceof PeerError && error.code === 'ERR_PEER_STOPPED' && !(await peer.finished).failed
      if (!wasAsked) throw error
    })
    const code = (await peer.finished).failed ? 1 : 0
    ended = code
    // What a plugin left open must not keep the process of a stopped peer; the timer itself does not.
    setTimeout(() => source.exit(code), LINGER_MS).unref()
    return code
  } finally {
    // A signal that comes while the stopped process ends must not kill it: those listeners stay.
    if (ended === undefined) for (const [event, listener] of Object.entries(listeners)) source.off(event, listener)
  }
}
