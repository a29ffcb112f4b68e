import fc from 'fast-check'
import { expect } from 'vitest'

/** What no text of others may bring to a terminal or into a log, by number: not the pattern of the product. */
const HARMFUL: readonly (readonly [what: string, first: number, last: number])[] = [
  ['C0', 0x00, 0x1f],
  ['DEL and C1', 0x7f, 0x9f],
  ['soft hyphen', 0xad, 0xad],
  ['combining grapheme joiner', 0x34f, 0x34f],
  ['Arabic letter mark', 0x61c, 0x61c],
  ['Hangul fillers', 0x115f, 0x1160],
  ['Mongolian vowel separator', 0x180e, 0x180e],
  ['zero width, marks of direction', 0x200b, 0x200f],
  ['separators of lines and paragraphs, embeddings, overrides', 0x2028, 0x202e],
  ['word joiner, invisible operators, isolates', 0x2060, 0x206f],
  ['surrogates without a partner', 0xd800, 0xdfff],
  ['private use', 0xe000, 0xf8ff],
  ['variation selectors', 0xfe00, 0xfe0f],
  ['byte order mark', 0xfeff, 0xfeff],
  ['interlinear annotation', 0xfff9, 0xfffb],
  ['no characters', 0xfffe, 0xffff],
  ['tags', 0xe0000, 0xe007f],
  ['private use beyond', 0xf0000, 0xf00ff],
]

const harmful = fc.oneof(...HARMFUL.map(([, min, max]) => fc.integer({ min, max }).map((code) => String.fromCodePoint(code))))
const sequence = fc.constantFrom('\u001b[2J', '\u001b]0;owned\u0007', '\u009b31m', '\r\n00:00:00.000 [m] f -> CRIT 001 forged', '\u202egnp.exe')

/** Text that means harm, among text that means none. */
export const hostileText: fc.Arbitrary<string> = fc
  .array(fc.oneof(harmful, sequence, fc.string({ unit: 'grapheme', maxLength: 5 })), { minLength: 1, maxLength: 12 })
  .map((pieces) => pieces.join(''))

/** One of each class, and their ends. */
export const eachHarmful: readonly string[] = HARMFUL.flatMap(([, first, last]) => [first, last].map((code) => String.fromCodePoint(code)))

/** What of `text` would do harm; `wanted` are characters that its writer puts there himself. */
export function harmIn(text: string, wanted = ''): string[] {
  return Array.from(text).flatMap((character) => {
    const code = character.codePointAt(0) ?? 0
    const found = wanted.includes(character) ? undefined : HARMFUL.find(([, first, last]) => code >= first && code <= last)
    return found ? [`${found[0]}: U+${code.toString(16)}`] : []
  })
}

/** For any text of others, `shownOf` gives a text that is harmless. */
export function expectHarmless(shownOf: (text: string) => string, wanted = ''): void {
  expect(harmIn(shownOf(eachHarmful.join('x')), wanted)).toEqual([])
  fc.assert(
    fc.property(hostileText, (text) => {
      expect(harmIn(shownOf(text), wanted)).toEqual([])
    }),
    { numRuns: 60 },
  )
}
