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

/** What a failed command prints on stderr: `Error: <text>`, the hint and the command's usage (spec/node.md §1); or one JSON object. */
export function failureText(error: unknown, json: boolean, definition: Definition | null): string {
  const { code, hint, details } = error instanceof PeerError ? error : { code: 'ERR_COMMAND_FAILED', hint: undefined, details: {} }
  if (json) return `${toJson({ error: { code, message: messageOf(error), ...(hint === undefined ? {} : { hint }), details } })}\n`
  const lines = `Error: ${messageOf(error)}\n${hint === undefined ? '' : `  ${hint}\n`}`
  return definition === null || !isUsageHelpful(code) ? lines : `${lines}${usageText(definition)}\n`
}

/** A configuration that is wrong, or a peer that cannot start, is not better understood by reading the flags. */
function isUsageHelpful(code: string): boolean {
  return !/^ERR_(CONFIG|MODULE|PLUGIN|PEER|STORE|LISTENER|SERVICE|PACKAGE)_/.test(code)
}

/** A command's usage: its form and its flags. */
export function usageText({ path, usage, options, examples = [] }: Definition, extraFlags: readonly [string, string][] = []): string {
  const words = usage.slice(path.length).trim()
  const flags = [...options.map(({ definition, description = '' }): [string, string] => [flagText(definition), description.trim()]), ...extraFlags, ['-h, --help', 'help for this command'] as const]
  const text = ['Usage:', `  ${[path, words, '[flags]'].filter((part) => part !== '').join(' ')}`, '', 'Flags:', ...columns(flags)]
  if (examples.length > 0) text.push('', 'Examples:', ...examples.flatMap(([what, line]) => [`  # ${what.trim()}`, `  ${line}`]))
  return `${text.join('\n')}\n`
}

/** `-n,--name #0` of clipanion as `-n, --name <value>`. */
function flagText(definition: string): string {
  return definition.replace(/,/g, ', ').replace(/ #\d+/g, ' <value>')
}

/** Two columns, the second aligned. */
export function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}   ${right}`.trimEnd())
}
