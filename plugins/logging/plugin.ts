import { type Logging, definePlugin, peerKeys } from '../../kernel/index.js'
import { loggingKeys } from './keys.js'
import { createLogging } from './logging.js'
import { standardError } from './standard-error.js'

/** Writes what happens to stderr: as v0.6 does, or as JSON. See README.md. */
export default definePlugin({
  name: 'logging',
  description: 'log lines on stderr as v0.6 writes them, or JSON; levels by module',
  config: { ...loggingKeys, 'logging.level': peerKeys['logging.level'] },
  async logging(site, clock): Promise<Logging> {
    // Pino takes as long to load as the rest of the kernel: only for who asks for JSON.
    const isJson = site.values.get('logging.format')?.value === 'json'
    const writer = isJson ? (await import('./json-writer.js')).jsonWriter(standardError, clock) : undefined
    const logging = createLogging({ spec: 'info', clock, ...(writer === undefined ? {} : { writer }) })
    return {
      logger: (module) => logging.logger(module),
      configured(resolved) {
        const settings = resolved.settings({ ...loggingKeys, 'logging.level': peerKeys['logging.level'] })
        // An empty one is none, as in v0.6.
        logging.setLevels(settings['logging.level'] || settings['logging.node'])
      },
    }
  },
  apply() {
    // What it brings is used before any hook runs.
  },
})
