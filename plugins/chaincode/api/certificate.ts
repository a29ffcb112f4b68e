import { IdentityError } from './errors.js'

/** One DER element: its tag, its content, and where the next one starts. */
interface Element {
  readonly tag: number
  readonly content: Uint8Array
  readonly end: number
}

const SEQUENCE = 0x30
const OBJECT_IDENTIFIER = 0x06
const BOOLEAN = 0x01
const OCTET_STRING = 0x04
/** `[3] EXPLICIT Extensions` of a TBSCertificate. */
const EXTENSIONS = 0xa3

/**
 * The extensions of an X.509 certificate by object identifier; values without their OCTET STRING wrapper.
 *
 * @throws IdentityError if it is not such a certificate
 */
export function certificateExtensions(certificate: Uint8Array): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>()
  const outer = element(certificate, 0, SEQUENCE)
  if (outer.end !== certificate.length) throw new IdentityError('x509: trailing data')
  const body = element(outer.content, 0, SEQUENCE).content
  for (let at = 0; at < body.length; ) {
    const field = element(body, at)
    at = field.end
    if (field.tag !== EXTENSIONS) continue
    const list = element(field.content, 0, SEQUENCE).content
    for (let offset = 0; offset < list.length; ) {
      const extension = element(list, offset, SEQUENCE)
      offset = extension.end
      const id = element(extension.content, 0, OBJECT_IDENTIFIER)
      let value = element(extension.content, id.end)
      if (value.tag === BOOLEAN) value = element(extension.content, value.end)
      if (value.tag !== OCTET_STRING) throw malformed('an extension has no OCTET STRING')
      const name = objectIdentifier(id.content)
      if (!found.has(name)) found.set(name, value.content)
    }
  }
  return found
}

function element(bytes: Uint8Array, at: number, expectedTag?: number): Element {
  const tag = bytes[at]
  const first = bytes[at + 1]
  if (tag === undefined || first === undefined) throw malformed('truncated')
  if (expectedTag !== undefined && tag !== expectedTag) throw malformed(`expected tag ${expectedTag}, found ${tag}`)
  let start = at + 2
  let length = first
  if (first >= 0x80) {
    const count = first & 0x7f
    if (count === 0 || count > 4) throw malformed('bad length')
    length = 0
    for (let i = 0; i < count; i += 1) length = length * 256 + (bytes[start + i] ?? 0)
    start += count
  }
  const end = start + length
  if (end > bytes.length) throw malformed('truncated')
  return { tag, content: bytes.subarray(start, end), end }
}

function objectIdentifier(bytes: Uint8Array): string {
  const arcs: number[] = []
  let arc = 0
  for (const byte of bytes) {
    arc = arc * 128 + (byte & 0x7f)
    if (byte < 0x80) {
      if (arcs.length === 0) arcs.push(Math.min(2, Math.floor(arc / 40)), arc - 40 * Math.min(2, Math.floor(arc / 40)))
      else arcs.push(arc)
      arc = 0
    }
  }
  return arcs.join('.')
}

function malformed(why: string): IdentityError {
  return new IdentityError(`asn1: structure error: ${why}`)
}
