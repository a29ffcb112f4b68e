import { equalBytes, text, utf8 } from './bytes.js'
import { certificateExtensions } from './certificate.js'
import { IdentityError } from './errors.js'
import type { Bytes, CallerIdentity } from './types.js'

/** Object identifiers of TCert attributes: header at .9, attribute p at .9+p (spec/chaincode.md §17.2). */
const ATTRIBUTE_ARC = '1.2.3.4.5.6.'
const HEADER_POSITION = 9
const HEADER_MARK = '00HEAD'

/** Attributes of a DER certificate; empty bytes mean that there is none. Parsed at first use. */
export function callerIdentity(certificate: Bytes): CallerIdentity {
  let parsed: { extensions: ReadonlyMap<string, Bytes>; positions: ReadonlyMap<string, number> } | undefined

  const read = (name: string): Bytes | undefined => {
    parsed ??= parse(certificate)
    const position = parsed.positions.get(name)
    if (position === undefined || position < 1) return undefined
    const value = parsed.extensions.get(`${ATTRIBUTE_ARC}${HEADER_POSITION + position}`)
    if (value === undefined) throw new IdentityError('Failed retrieving extension.')
    return new Uint8Array(value)
  }
  const matches = (name: string, expected: string | Bytes): boolean => {
    const value = read(name)
    return value !== undefined && equalBytes(value, typeof expected === 'string' ? utf8(expected) : expected)
  }

  return {
    getAttributeValue: read,
    readAttribute(name) {
      const value = read(name)
      if (value === undefined) throw new IdentityError("Error reading attribute value 'Invalid attribute position. Received [0]'")
      return value
    },
    assertAttributeValue: matches,
    assertAttributes: (all) => Object.entries(all).every(([name, expected]) => matches(name, expected)),
  }
}

function parse(certificate: Bytes) {
  if (certificate.length === 0) throw new IdentityError("The certificate can't be nil.")
  const extensions = certificateExtensions(certificate)
  const header = extensions.get(`${ATTRIBUTE_ARC}${HEADER_POSITION}`)
  if (header === undefined) throw new IdentityError('Failed retrieving extension.')
  return { extensions, positions: parseHeader(text(header)) }
}

/** `00HEAD` and then `name->position#` for each attribute. */
function parseHeader(header: string): Map<string, number> {
  if (!header.startsWith(HEADER_MARK)) throw new IdentityError('Is not possible read an attribute encrypted without the headerKey')
  const positions = new Map<string, number>()
  for (const pair of header.slice(HEADER_MARK.length).split('#')) {
    const arrow = pair.indexOf('->')
    const position = pair.slice(arrow + 2)
    if (arrow > 0 && /^\d{1,9}$/.test(position)) positions.set(pair.slice(0, arrow), Number(position))
  }
  return positions
}
