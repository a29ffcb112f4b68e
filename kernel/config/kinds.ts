import * as z from 'zod'

/** Any string. */
export function text(): z.ZodType<string> {
  return z.union([z.string(), z.number().transform(String)]).meta({ type: 'string' })
}

/** A whole number, also written as text (environment, v0.6 files). */
export function integer({ min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = {}): z.ZodType<number> {
  const number = z.int().min(min).max(max)
  const written = z.string().regex(/^-?\d+$/, 'expected a whole number')
  return z.union([number, written.transform(Number).pipe(number)])
}

/** A boolean; in the environment 1/t/true and 0/f/false in any case (spec/node.md §2.2). */
export function flag(): z.ZodType<boolean> {
  const written = z.string().regex(/^(1|t|true|0|f|false)$/i, 'expected true or false')
  return z.union([z.boolean(), written.transform((word) => /^(1|t|true)$/i.test(word))])
}

const UNIT_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** A duration such as `5s`, `1m30s`, `100ms` (spec/node.md §2.2). The value read is in milliseconds. `0` alone is allowed. */
export function duration(): z.ZodType<number> {
  return z
    .union([z.string(), z.literal(0).transform(() => '0s')])
    .refine((word) => word === '0' || /^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(word), 'expected a duration with a unit, such as 5s or 1m30s')
    .transform((word) => {
      let ms = 0
      for (const [, amount, unit] of word.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) ms += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0)
      return ms
    })
}

/** `host:port`; host may be empty or a bracketed IPv6 address. */
export function address(): z.ZodType<string> {
  return z.string().regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]*):\d{1,5}$/, 'expected host:port')
}

/** One of a few words, in any case; the value read is as listed. */
export function choice<const W extends string>(words: readonly W[]): z.ZodType<W> {
  return z.string().transform((written, context): W => {
    const found = words.find((word) => word.toLowerCase() === written.toLowerCase())
    if (found !== undefined) return found
    context.addIssue({ code: 'custom', message: `expected one of ${words.join(', ')}` })
    return z.NEVER
  })
}

/** A list of words; in text form separated by commas. */
export function list(): z.ZodType<readonly string[]> {
  const written = z.string().transform((line) => line.split(',').flatMap((word) => word.trim() || []))
  return z.union([z.array(z.string()), written])
}

/** A map of words to words, such as names to `enable`. Cannot be set element-wise by the environment. */
export function map(): z.ZodType<Readonly<Record<string, string>>> {
  return z.record(z.string(), z.union([z.string(), z.boolean().transform(String)]))
}
