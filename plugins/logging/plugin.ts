import { isatty } from 'node:tty'
import { type Listener, type Listeners, type Logging, PeerError, definePlugin, peerKeys } from '../../kernel/index.js'
import { LogLevelsService } from '../../proto/index.js'
import { LoggingGetCommand } from './commands/get.js'
import { LoggingResetCommand } from './commands/reset.js'
import { LoggingSetCommand } from './commands/set.js'
import { textWriter } from './format.js'
import { loggingKeys } from './keys.js'
import { controlOf } from './level-control.js'
import { createLogFile } from './log-file.js'
import { createLogging } from './logging.js'
import { logLevelsService } from './service.js'
import { standardError } from './standard-error.js'

/** Writes what happens to stderr or a file: as v0.6 does, or as JSON; its levels can be changed while the peer runs. See README.md. */
export default definePlugin({
  name: 'logging',
  description: 'log lines on stderr as v0.6 writes them, or JSON; levels by module, changed on a running peer',
  config: { ...loggingKeys, 'logging.level': peerKeys['logging.level'] },
  commands: [LoggingGetCommand, LoggingSetCommand, LoggingResetCommand],
  async logging(site, clock): Promise<Logging> {
    const file = site.values.get('logging.file')?.value
    const stream = typeof file === 'string' && file !== '' ? createLogFile(file) : standardError
    // Pino takes as long to load as the rest of the kernel: only for who asks for JSON.
    const isJson = site.values.get('logging.format')?.value === 'json'
    const colours = stream === standardError && process.stderr.isTTY
    const writer = isJson ? (await import('./json-writer.js')).jsonWriter(stream, clock) : textWriter(stream, clock, colours)
    const logging = createLogging({ spec: 'info', clock, stream, writer })
    return {
      logger: (module) => logging.logger(module),
      configured(resolved) {
        const settings = resolved.settings({ ...loggingKeys, 'logging.level': peerKeys['logging.level'] })
        // An empty one is none, as in v0.6.
        logging.setLevels(settings['logging.level'] || settings['logging.node'])
      },
    }
  },
  apply(peer) {
    const control = controlOf(peer.log)
    // An embedding program may have brought its own logging: then there is nothing to control.
    if (control === undefined) return
    let hasFile = false
    let hasTerminal = false
    const onHangup = (): void => {
      if (control.reopen()) peer.log.info('the log file was opened anew (SIGHUP)')
      // Where another plugin listens as well, the signal is a request to read files anew.
      else if (hasTerminal && process.listenerCount('SIGHUP') === 1) peer.requestStop('SIGHUP: its terminal is gone')
      else if (!hasFile) peer.log.info('SIGHUP: there is no log file to be opened anew (logging.file)')
    }
    peer.hooks.registerServices.tap(async (listeners) => {
      const settings = peer.settings(loggingKeys)
      hasFile = settings['logging.file'] !== ''
      // Asked now: one that is gone is no terminal any more.
      hasTerminal = !hasFile && isatty(0)
      process.on('SIGHUP', onHangup)
      const changed = (what: string): void => peer.log.in('levels').notice(`log levels changed: ${what}`)
      peerListener(listeners)?.add(LogLevelsService, logLevelsService(control.levels, settings['logging.allowChange'], changed))
    })
    peer.hooks.stop.tap(async () => {
      process.off('SIGHUP', onHangup)
    })
  },
})

/** Where levels are changed from; a site without listeners only has those of its configuration. */
function peerListener(listeners: Listeners): Listener | undefined {
  try {
    return listeners.get('peer')
  } catch (error) {
    if (error instanceof PeerError && error.code === 'ERR_LISTENER_MISSING') return undefined
    throw error
  }
}
