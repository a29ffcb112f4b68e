import type * as z from 'zod'

/**
 * Options under the names that an engine knows them by: v0.6 reads names in any case, so `batchSize` is `batchsize` where there is no other of that sound.
 * What is not known stays as it is, for the engine to refuse.
 */
export function withKnownNames(options: Readonly<Record<string, unknown>>, known: readonly string[]): Readonly<Record<string, unknown>> {
  const nameOf = (written: string): string => {
    if (known.includes(written)) return written
    const alike = known.filter((name) => name.toLowerCase() === written.toLowerCase())
    return alike.length === 1 && alike[0] !== undefined && !Object.hasOwn(options, alike[0]) ? alike[0] : written
  }
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [nameOf(name), value]))
}

/** What a schema found wrong with the options of an engine, a line for each: what was expected there, and what stands there. */
export function optionFaults({ issues }: z.ZodError, raw: unknown, names: readonly string[]): string[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((name) => `${name}: unknown; there are ${names.join(', ')}`)
    const name = issue.path.join('.')
    if (name === '') return [`expected an object, found ${JSON.stringify(raw)}`]
    const found = JSON.stringify(typeof raw === 'object' && raw !== null ? Reflect.get(raw, name) : undefined)
    const expected = innermost(issue)
    return [`${name}: ${expected.includes('found') ? expected : `${expected}, found ${found}`}`]
  })
}

/** Of a union the alternative that speaks of the value as it is written: the last that says what was expected. */
function innermost(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_union') return issue.message
  const words = issue.errors.flatMap((alternative) => alternative.map(innermost))
  return words.findLast((word) => word.startsWith('expected')) ?? words[0] ?? issue.message
}
