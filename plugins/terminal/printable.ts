/** What a terminal obeys, what ends, turns or hides text, and what is no text: controls, formats, surrogates without a partner, private and unassigned characters, separators, and what has no width. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu
const MOST_CHARACTERS = 65_536

/**
 * Text of somebody else on one line: each character that would not be seen as itself, or that would steer a terminal, is replaced by a sign. At most `most`
 * characters come back; where some were cut off, the last one is an ellipsis. Again applied it changes nothing.
 */
export function printable(text: string, most = MOST_CHARACTERS): string {
  return cut(text, most).replace(UNPRINTABLE, '\ufffd')
}

/** The same for who wants to know what stood there: such a character shows as `\n` or, by its number, as `\u{1b}`. What `most` cuts is the text before that. */
export function escaped(text: string, most = MOST_CHARACTERS): string {
  return cut(text, most).replace(UNPRINTABLE, (character) => (character === '\n' ? '\\n' : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`))
}

/** Not between the halves of a character. */
function cut(text: string, most: number): string {
  if (text.length <= most) return text
  const kept = text.slice(0, Math.max(0, most - 1))
  return `${/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept}…`
}
