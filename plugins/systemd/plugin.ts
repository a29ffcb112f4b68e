import { PeerError, definePlugin, messageOf } from '../../kernel/index.js'

/** Tells systemd when the peer serves, stops, and lives. Does nothing where nobody set NOTIFY_SOCKET. List it last: it says READY when its turn to start comes. */
export default definePlugin({
  name: 'systemd',
  description: 'readiness and watchdog of systemd units of Type=notify',
  apply(peer) {
    const environment = process.env
    let stopWatchdog = (): void => undefined
    const tell = async (...assignments: string[]): Promise<void> => {
      const { notifySystemd } = await import('./notify.js')
      try {
        await notifySystemd(assignments, environment)
      } catch (error) {
        // A peer is no worse for it; systemd will say by itself that it heard nothing.
        const hint = error instanceof PeerError && error.hint !== undefined ? `; ${error.hint}` : ''
        peer.log.error(`${messageOf(error)}${hint}`)
      }
    }
    peer.hooks.start.tap(async ({ endpoint }) => {
      if (environment['NOTIFY_SOCKET'] === undefined || environment['NOTIFY_SOCKET'] === '') return
      await tell('READY=1', `STATUS=${endpoint.id} serves at ${endpoint.address}`)
      const { watchdogPeriodMs } = await import('./notify.js')
      const periodMs = watchdogPeriodMs(environment, process.pid)
      if (periodMs === undefined) return
      let isOver = false
      let cancel = (): void => undefined
      // A peer whose event loop hangs does not get here: then systemd restarts it.
      const beat = (): void => {
        cancel = peer.clock.setTimer(periodMs, () => {
          peer.run(
            'watchdog',
            tell('WATCHDOG=1').then(() => (isOver ? undefined : beat())),
          )
        })
      }
      stopWatchdog = () => {
        isOver = true
        cancel()
      }
      beat()
    })
    peer.hooks.stop.tap(async ({ why }) => {
      stopWatchdog()
      if (environment['NOTIFY_SOCKET'] === undefined || environment['NOTIFY_SOCKET'] === '') return
      // Stopping may take longer than the watchdog waits; TimeoutStopSec limits it.
      await tell('STOPPING=1', `STATUS=stopping: ${why.replaceAll('\n', ' ').slice(0, 200)}`)
    })
  },
})
