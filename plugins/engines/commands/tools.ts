import { type Logger, type Settings, systemClock } from '../../../kernel/index.js'
import type { EngineLoader } from '../engine-package.js'
import { type enginesKeys, limitsOf } from '../keys.js'

/** A loader of packages for a command; what the code prints goes to `warn`. */
export async function loaderFor(settings: Settings<typeof enginesKeys>, warn: (text: string) => void): Promise<EngineLoader> {
  const { EngineLoader: Loader } = await import('../engine-package.js')
  const say = (text: string): void => warn(text)
  const silent = (): void => undefined
  const log: Logger = {
    module: 'engines',
    critical: say,
    error: say,
    warning: say,
    notice: say,
    info: silent,
    debug: silent,
    isEnabled: (level) => level !== 'info' && level !== 'debug',
    in: () => log,
  }
  return new Loader(limitsOf(settings), log, systemClock)
}
