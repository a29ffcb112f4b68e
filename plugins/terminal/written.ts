import { PeerError } from '../../kernel/index.js'

/** What a person wrote after a flag, as a whole number. Throws ERR_USAGE. */
export function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < least || value > most) throw wrong(flag, `a whole number from ${least} to ${most}`, text)
  return value
}

/** What a person wrote after a flag, as JSON. Throws ERR_USAGE. */
export function writtenJson(flag: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    if (cause instanceof SyntaxError) throw wrong(flag, 'JSON', text, cause)
    throw cause
  }
}

/** The keys and values of `--set key=value`, checked before. */
export function writtenSet(options: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(options.map((option): [string, string] => [option.slice(0, option.indexOf('=')), option.slice(option.indexOf('=') + 1)]))
}

/** That a flag was given something else than it takes. */
export function wrong(flag: string, expected: string, found: string, cause?: unknown): PeerError {
  return new PeerError('ERR_USAGE', `${flag}: expected ${expected}; found '${found}'`, cause === undefined ? {} : { cause })
}
