import { type Clock, type LogFacts, type LogLevel, messageOf } from '../../kernel/index.js'
import { escaped } from '../terminal/index.js'

/** Where lines go: stderr, or a test's buffer. */
export interface LogStream {
  write(line: string): unknown
  /** Opens a file anew that was moved away; false if it cannot be opened, and the old one stays in use. */
  reopen?(): boolean
}

/** Writes one event. */
export type LogWriter = (level: LogLevel, module: string, area: string, message: string, facts: LogFacts | undefined) => void

const WORDS: Readonly<Record<LogLevel, string>> = { critical: 'CRIT', error: 'ERRO', warning: 'WARN', notice: 'NOTI', info: 'INFO', debug: 'DEBU' }
const COLOURS: Readonly<Record<LogLevel, string>> = {
  critical: '\x1b[35m',
  error: '\x1b[31m',
  warning: '\x1b[33m',
  notice: '\x1b[32m',
  info: '',
  debug: '\x1b[36m',
}
const MAX_VALUE_CHARACTERS = 2000

/** The line of v0.6: `<colour>HH:MM:SS.mmm [module] function -> LEVL hhh<reset> message` and facts (spec/node.md §2.4). */
export function textWriter(stream: LogStream, clock: Clock, colours: boolean): LogWriter {
  let count = 0
  return (level, module, area, message, facts) => {
    count += 1
    const id = count.toString(16).padStart(3, '0')
    const head = `${time(clock)} [${module}] ${area} -> ${WORDS[level]} ${id}`
    let line = colours ? `${COLOURS[level]}${head}\x1b[0m ${escaped(message)}` : `${head} ${escaped(message)}`
    for (const [name, value] of Object.entries(facts ?? {})) line += ` ${escaped(name)}=${written(value)}`
    stream.write(`${line}\n`)
  }
}

/** The wall clock in milliseconds since 1970. */
export function millisecondsOf(clock: Clock): number {
  const { seconds, nanos } = clock.now()
  return Number(seconds) * 1000 + Math.floor(nanos / 1e6)
}

function time(clock: Clock): string {
  const at = new Date(millisecondsOf(clock))
  const two = (part: number) => String(part).padStart(2, '0')
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`
}

function written(value: unknown): string {
  const plain = simple(value)
  const text = typeof plain === 'string' ? plain : (JSON.stringify(plain) ?? String(plain))
  const short = text.length > MAX_VALUE_CHARACTERS ? `${text.slice(0, MAX_VALUE_CHARACTERS)}...` : text
  return typeof plain === 'string' && /[\s"=]|^$/.test(short) ? escaped(JSON.stringify(short)) : escaped(short)
}

/** A value as JSON can hold it: bytes as hex, errors as their message, big integers as digits, circles and the like as text. */
export function simple(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return Buffer.from(value.subarray(0, MAX_VALUE_CHARACTERS / 2)).toString('hex')
  if (value instanceof Error) return messageOf(value)
  if (typeof value !== 'object' || value === null) return value
  try {
    return JSON.parse(JSON.stringify(value, (_name, inner: unknown) => (typeof inner === 'bigint' || inner instanceof Error ? simple(inner) : inner)))
  } catch (reason) {
    return `(cannot be written: ${messageOf(reason)})`
  }
}
