import { describe, expect, it } from 'vitest'
import { verifySignature } from '../../../plugins/chaincode/api/host.js'
import { callerIdentity } from '../../../plugins/chaincode/api/identity.js'
import { securityContexts } from './vectors.js'

const [transaction] = securityContexts()
const bytes = (hex = '') => new Uint8Array(Buffer.from(hex, 'hex'))
const certificate = bytes(transaction?.certDerHex)

describe("the caller's identity", () => {
  it('has the attributes of a TCert', () => {
    const identity = callerIdentity(certificate)
    for (const [name, value] of Object.entries(transaction?.attributes ?? {})) {
      expect(Buffer.from(identity.readAttribute(name)).toString()).toBe(value)
      expect(identity.assertAttributeValue(name, value)).toBe(true)
      expect(identity.assertAttributeValue(name, `${value}x`)).toBe(false)
    }
    expect(identity.assertAttributes(transaction?.attributes ?? {})).toBe(true)
  })

  it('speaks of what is missing in the words of v0.6', () => {
    const identity = callerIdentity(certificate)
    expect(identity.getAttributeValue('rank')).toBeUndefined()
    expect(() => identity.readAttribute('rank')).toThrow("Error reading attribute value 'Invalid attribute position. Received [0]'")
    expect(() => callerIdentity(new Uint8Array()).getAttributeValue('x')).toThrow("The certificate can't be nil.")
    expect(() => callerIdentity(certificate.slice(0, 100)).getAttributeValue('x')).toThrow('asn1: structure error')
  })

  it('of a certificate without attributes cannot be read', () => {
    const other = new Uint8Array(certificate)
    const header = Buffer.from(other).indexOf(Buffer.from('06062a0304050609', 'hex'))
    other[header + 7] = 0x63
    expect(() => callerIdentity(other).getAttributeValue('position')).toThrow('Failed retrieving extension.')
  })
})

describe('verifySignature', () => {
  const signature = bytes(transaction?.signatureDerHex)
  const signed = bytes(transaction?.signedBytesHex)

  it('accepts what the original signed, and nothing else', () => {
    expect(verifySignature(certificate, signature, signed, 'SHA3')).toBe(true)
    expect(verifySignature(certificate, signature, signed, 'SHA2')).toBe(false)
    expect(verifySignature(certificate, signature, signed.slice(1), 'SHA3')).toBe(false)
    expect(verifySignature(certificate, new Uint8Array([1, 2]), signed, 'SHA3')).toBe(false)
  })

  it('refuses what is not a certificate', () => {
    expect(() => verifySignature(new Uint8Array([1]), signature, signed, 'SHA3')).toThrow()
  })
})
