import { PeerError } from '../../kernel/index.js'
import type { LogLevelList, LogLevelsService, ServiceHandlers } from '../../proto/index.js'
import { unary } from '../grpc/index.js'
import type { LevelControl } from './level-control.js'

const PERMISSION_DENIED = 7

/** `/weft.LogLevels` of a running peer. `changed` hears what was done, for the log. */
export function logLevelsService(levels: LevelControl, mayChange: boolean, changed: (what: string) => void): ServiceHandlers<typeof LogLevelsService> {
  const requireRight = (): void => {
    if (mayChange) return
    throw new PeerError('ERR_LOGGING_REFUSED', 'changing log levels over the network is switched off (logging.allowChange)', { grpcStatus: PERMISSION_DENIED })
  }
  return {
    get: unary(async ({ components }) => {
      levels.check(components)
      return listOf(levels, components)
    }),
    set: unary(async ({ spec }) => {
      requireRight()
      levels.change(spec)
      changed(spec)
      return listOf(levels, [])
    }),
    reset: unary(async ({ components }) => {
      requireRight()
      levels.reset(components)
      changed(`as configured: ${components.length === 0 ? 'all' : components.join(', ')}`)
      return listOf(levels, [])
    }),
  }
}

function listOf(levels: LevelControl, wanted: readonly string[]): LogLevelList {
  const components = levels.components().filter(({ component }) => wanted.length === 0 || wanted.includes(component))
  return { fallback: levels.fallback, components }
}
