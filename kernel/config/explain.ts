import type { z } from 'zod'

type Issue = z.core.$ZodIssue

/** What a failed check wanted, as half a sentence: `expected host:port`, `at [2] expected string`. */
export function expectation(issue: Issue): string {
  const place = issue.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('')
  return `${place === '' ? '' : `at ${place} `}${wantedBy(issue)}`
}

function wantedBy(issue: Issue): string {
  if (issue.code === 'invalid_type') return `expected ${typeName(issue.expected)}`
  if (issue.code === 'too_small') return `expected at least ${issue.minimum}`
  if (issue.code === 'too_big') return `expected at most ${issue.maximum}`
  if (issue.code !== 'invalid_union') return issue.message
  // Of a union: what the branch wanted whose type fits, else all the types that would do.
  const first = issue.errors.flatMap((issues) => issues.slice(0, 1))
  const fitting = first.find(({ code, path }) => code !== 'invalid_type' || path.length > 0)
  const types = first.flatMap((branch) => (branch.code === 'invalid_type' ? [typeName(branch.expected)] : []))
  return fitting === undefined ? `expected ${[...new Set(types)].join(' or ')}` : expectation(fitting)
}

/** A type as people call it. */
function typeName(type: string): string {
  return type === 'record' ? 'map' : type === 'array' ? 'list' : type
}

/** A value as error messages show it: short, and hidden if the key names a secret. */
export function shown(key: string, value: unknown): string {
  if (/secret|password/i.test(key)) return '(hidden)'
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? typeof value)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
