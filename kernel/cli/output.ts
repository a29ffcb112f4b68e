import type { Definition } from 'clipanion'
import { PeerError, messageOf } from '../errors.js'

/** JSON of results: bytes in base64, whole numbers beyond 2^53 as text. */
export function toJson(value: unknown): string {
  const plain = (member: unknown): unknown => {
    if (typeof member === 'bigint') return Number.isSafeInteger(Number(member)) ? Number(member) : String(member)
    if (member instanceof Uint8Array) return Buffer.from(member).toString('base64')
    if (Array.isArray(member)) return member.map(plain)
    if (member instanceof Map) return plain(Object.fromEntries(member))
    if (typeof member !== 'object' || member === null || 'toJSON' in member) return member
    return Object.fromEntries(Object.entries(member).map(([name, inner]) => [name, plain(inner)]))
  }
  return JSON.stringify(plain(value)) ?? 'null'
}

/** Codes of errors that are better understood by reading the flags. */
export const OF_THE_COMMAND_LINE = /_USAGE$/

/** What a failed command prints on stderr: `Error: <text>`, the hint and, after the codes of `usageAfter`, the command's usage, with a sign for what would steer a terminal; or one JSON object. */
export function failureText(error: unknown, json: boolean, usage = '', usageAfter = OF_THE_COMMAND_LINE): string {
  const { code, hint, details } = error instanceof PeerError ? error : { code: 'ERR_COMMAND_FAILED', hint: undefined, details: {} }
  if (json) return `${toJson({ error: { code, message: messageOf(error), hint, details } })}\n`
  return `Error: ${messageOf(error)}\n${hint === undefined ? '' : `  ${hint}\n`}${usageAfter.test(code) ? usage : ''}`.replace(/[^\P{C}\n\t]/gu, '\ufffd')
}

/** Of what is for people to read, in characters: that of the terminal, if there is one. */
export const HELP_WIDTH = process.stdout.columns || 80
const HELP = ['-h, --help', 'help for this command'] as const

/** A command's usage: its form, its flags and examples. */
export function usageText(definition: Definition | null, moreFlags: readonly (readonly [string, string])[] = []): string {
  if (definition === null) return ''
  const { usage, options, examples = [] } = definition
  // `-n,--name #0` of clipanion is `-n, --name <value>`
  const flags = options.map(({ definition: flag, description = '' }) => [flag.replace(/,/g, ', ').replace(/ #\d+/g, ' <value>'), description] as const)
  const form = `  ${usage.replace(/\s+/g, ' ').trim()} [flags]`
  const lines = ['Usage:', form, '', 'Flags:', ...columns([...flags, ...moreFlags, HELP], HELP_WIDTH)]
  if (examples.length > 0) lines.push('', 'Examples:', ...examples.flatMap(([what, example]) => [`  # ${what.trim()}`, `  ${example}`]))
  return `${lines.join('\n')}\n`
}

/** Two columns, the second aligned and broken between words where it does not fit: into a terminal, if there is one, or `width` characters. */
export function columns(rows: readonly (readonly [string, string])[], width = process.stdout.columns || Number.MAX_SAFE_INTEGER): string[] {
  const first = Math.max(...rows.map(([left]) => left.length))
  const lines = ([left, right]: readonly [string, string]): string[] =>
    wrapped(right, width - first - 5).map((line, at) => `  ${(at === 0 ? left : '').padEnd(first)}   ${line}`.trimEnd())
  return rows.flatMap(lines)
}

/** The lines of a text, broken between words; by default as wide as the terminal, or 80 characters. */
export function wrapped(text: string, width = HELP_WIDTH): string[] {
  return text.match(new RegExp(`\\S(?:.{0,${Math.max(20, width) - 2}}\\S)?(?!\\S)|\\S+`, 'g')) ?? ['']
}
