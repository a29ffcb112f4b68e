import type { Logger } from '../../../kernel/index.js'

/** A logger that keeps its lines, to be looked at by a test. */
export function keepingLog(): Logger & { readonly lines: string[] } {
  const lines: string[] = []
  const keep = (level: string) => (message: string) => void lines.push(`${level} ${message}`)
  const log = {
    module: 'test',
    lines,
    critical: keep('critical'),
    error: keep('error'),
    warning: keep('warning'),
    notice: keep('notice'),
    info: keep('info'),
    debug: keep('debug'),
    isEnabled: () => true,
    in: () => log,
  }
  return log
}
