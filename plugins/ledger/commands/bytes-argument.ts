import { PeerError } from '../../../kernel/index.js'

/** The bytes of an argument: its text in UTF-8, or hex. Throws ERR_HEX. */
export function bytesOf(argument: string, isHex: boolean): Uint8Array {
  if (!isHex) return Buffer.from(argument)
  const digits = argument.replace(/^0x/i, '')
  if (digits.length % 2 === 0 && /^[0-9a-f]*$/i.test(digits)) return Buffer.from(digits, 'hex')
  throw new PeerError('ERR_HEX', `expected an even number of hex digits, found ${JSON.stringify(argument.slice(0, 200))}`)
}
