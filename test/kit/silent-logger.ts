import type { Logger } from '../../kernel/index.js'

const silent = (): void => undefined

/** Says nothing. */
export const silentLogger: Logger = {
  module: 'simulation',
  critical: silent,
  error: silent,
  warning: silent,
  notice: silent,
  info: silent,
  debug: silent,
  isEnabled: () => false,
  in: () => silentLogger,
}
