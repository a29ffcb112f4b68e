import { pino } from 'pino'
import type { Clock, LogLevel } from '../../kernel/index.js'
import { type LogStream, type LogWriter, millisecondsOf, simple } from './format.js'

const NUMBERS: Readonly<Record<LogLevel, number>> = { critical: 60, error: 50, warning: 40, notice: 35, info: 30, debug: 20 }

/** One JSON object a line, by pino. */
export function jsonWriter(stream: LogStream, clock: Clock): LogWriter {
  const root = pino(
    {
      level: 'debug',
      customLevels: NUMBERS,
      useOnlyCustomLevels: true,
      base: null,
      timestamp: () => `,"time":"${new Date(millisecondsOf(clock)).toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
      messageKey: 'message',
    },
    { write: (line: string) => void stream.write(line) },
  )
  return (level, module, area, message, facts) => {
    const plain = Object.fromEntries(Object.entries(facts ?? {}).map(([name, value]) => [name, simple(value)]))
    root[level]({ module, area, ...(facts === undefined ? {} : { facts: plain }) }, message)
  }
}
