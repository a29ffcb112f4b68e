import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { escaped, printable } from '../../plugins/terminal/index.js'
import { eachHarmful, expectHarmless, hostileText } from './hostile-text.js'

describe('text of somebody else', () => {
  it('is harmless, replaced or escaped', () => {
    expectHarmless((text) => printable(text))
    expectHarmless((text) => escaped(text))
  })

  it('shows a sign for each character that would not be seen', () => {
    for (const character of eachHarmful) expect(printable(`a${character}b`)).toBe('a\ufffdb')
    expect(printable('\u001b[31mred')).toBe('\ufffd[31mred')
  })

  it('shows, escaped, which characters these were', () => {
    expect(escaped('two\nlines\r\u0000\u009b\u202e\udc00\u{e0041}')).toBe('two\\nlines\\u{d}\\u{0}\\u{9b}\\u{202e}\\u{dc00}\\u{e0041}')
  })

  it('stays as it is if it is plain: letters of any script, signs, spaces, emoji', () => {
    const plain = 'vp0: 90 % \u00e9 e\u0301 \u4e2d\u6587 \u05d0\u05d1 \u0e20\u0e32 \u00a0 \u{1f600} \u2190 "\\n"'
    expect(printable(plain)).toBe(plain)
    expect(escaped(plain)).toBe(plain)
  })

  it('has a bound, and is cut between characters with a sign of it', () => {
    expect(printable('x'.repeat(10_000_000)).length).toBe(65_536)
    expect(printable('abcdef', 4)).toBe('abc…')
    expect(printable('abcd', 4)).toBe('abcd')
    expect(printable('ab\u{1f600}cd', 4)).toBe('ab…')
    expect(escaped('\n\n\n', 2)).toBe('\\n…')
    expect(escaped('x'.repeat(100_000), Number.POSITIVE_INFINITY)).toHaveLength(100_000)
  })

  it('is the same when it is replaced again', () => {
    fc.assert(
      fc.property(hostileText, fc.integer({ min: 1, max: 20 }), (text, most) => {
        const once = printable(text, most)
        expect(once.length).toBeLessThanOrEqual(most)
        expect(printable(once, most)).toBe(once)
      }),
    )
  })
})
