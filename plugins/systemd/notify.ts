import { execFile } from 'node:child_process'
import { PeerError, messageOf } from '../../kernel/index.js'

const LIMIT_MS = 5000

/** Tells the service manager, over the socket in NOTIFY_SOCKET. Node has no datagram sockets of that kind, systemd brings a program for it. Throws ERR_SYSTEMD_NOTIFY. */
export function notifySystemd(assignments: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  const { NOTIFY_SOCKET, PATH } = environment
  return new Promise((resolve, reject) => {
    execFile('systemd-notify', [...assignments], { env: { NOTIFY_SOCKET, PATH }, timeout: LIMIT_MS, killSignal: 'SIGKILL' }, (error, _stdout, stderr) => {
      if (error === null) return resolve()
      const why = error.code === 'ENOENT' ? 'the program systemd-notify is not installed' : stderr.trim() || messageOf(error)
      reject(
        new PeerError('ERR_SYSTEMD_NOTIFY', `systemd was not told ${assignments.join(' ')}: ${why}`, {
          cause: error,
          hint: 'install systemd-notify (package systemd), set NotifyAccess=all in the unit, or use Type=exec without WatchdogSec',
        }),
      )
    })
  })
}

/** How often the watchdog must hear of this process, in milliseconds; undefined if none watches it. */
export function watchdogPeriodMs({ WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv, pid: number): number | undefined {
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(pid)) return undefined
  const limitUs = Number(WATCHDOG_USEC ?? Number.NaN)
  // Twice within the limit, as systemd advises.
  return Number.isFinite(limitUs) && limitUs > 0 ? limitUs / 2000 : undefined
}
