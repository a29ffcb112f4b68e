const MARKS = /\p{M}/u
/** Characters of two columns. */
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u

/** Columns of a terminal that a printable text takes. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of text) width += widthOfCharacter(character)
  return width
}

/** At most so many columns; what is cut shows as an ellipsis. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  let kept = ''
  let width = 1
  for (const character of text) {
    width += widthOfCharacter(character)
    if (width > columns) break
    kept += character
  }
  return columns > 0 ? `${kept}\u2026` : ''
}

/** Exactly so many columns. */
export function fit(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const shown = cut(text, columns)
  const space = ' '.repeat(Math.max(0, columns - widthOf(shown)))
  return align === 'left' ? shown + space : space + shown
}

function widthOfCharacter(character: string): number {
  if (MARKS.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}

/** `1,234,567`. */
export function grouped(value: bigint | number): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ',')
}

/** A count in at most five characters: `9,999`, `12.3k`, `1.23M`. */
export function short(value: number): string {
  const units = ['k', 'M', 'G', 'T']
  if (value < 9999.5) return grouped(Math.round(value))
  let scaled = value
  let unit = ''
  for (const next of units) {
    if (scaled < 999.5) break
    scaled /= 1000
    unit = next
  }
  return `${scaled.toFixed(scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0)}${unit}`
}

/** A time in at most six characters: `0.4 ms`, `12 ms`, `1.2 s`, `3 min`. */
export function time(ms: number): string {
  if (ms < 9.95) return `${ms.toFixed(1)} ms`
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 99_950) return `${(ms / 1000).toFixed(1)} s`
  if (ms < 5_970_000) return `${Math.round(ms / 60_000)} min`
  return `${Math.round(ms / 3_600_000)} h`
}

/** Bytes in at most five characters. */
export function memory(bytes: number): string {
  const mebibytes = bytes / (1024 * 1024)
  return mebibytes < 9999.5 ? `${Math.round(mebibytes)}M` : `${(mebibytes / 1024).toFixed(1)}G`
}
