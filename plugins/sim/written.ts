import { PeerError } from '../../kernel/index.js'

/** What a person wrote after a flag, as a whole number. Throws ERR_SIM_USAGE. */
export function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < least || value > most) throw wrong(flag, `a whole number from ${least} to ${most}`, text)
  return value
}

/** The same as JSON. Throws ERR_SIM_USAGE. */
export function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new PeerError('ERR_SIM_USAGE', `${name}: expected JSON; found '${text}'`, { cause })
  }
}

export function wrong(flag: string, expected: string, found: string): PeerError {
  return new PeerError('ERR_SIM_USAGE', `${flag}: expected ${expected}; found '${found}'`)
}
