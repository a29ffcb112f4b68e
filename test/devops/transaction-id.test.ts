import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { derArguments, derivedTransactionId, randomTransactionId } from '../../plugins/devops/transaction-id.js'

interface Case {
  readonly args?: readonly string[]
  readonly argsHex?: readonly string[]
  readonly derHex: string
  readonly txid?: string
  readonly error?: string
  readonly idGenerationAlg?: string
}
const chaincode: { readonly txids: { readonly cases: readonly Case[] } } = JSON.parse(readFileSync('test/vectors/chaincode/transactions.json', 'utf8'))
const ledger: { readonly invokeWithIdGenerationAlg: readonly Case[] } = JSON.parse(readFileSync('test/vectors/ledger/txid.json', 'utf8'))

describe('a transaction id derived from the arguments', () => {
  for (const each of [...chaincode.txids.cases, ...ledger.invokeWithIdGenerationAlg]) {
    const args = each.argsHex?.map((hex) => Buffer.from(hex, 'hex')) ?? each.args?.map((arg) => Buffer.from(arg)) ?? []
    const algorithm = each.idGenerationAlg ?? 'sha256'
    it(`of ${each.derHex.slice(0, 40)} by ${algorithm} is the original's`, () => {
      expect(Buffer.from(derArguments(args)).toString('hex')).toBe(each.derHex)
      if (each.error === undefined) expect(derivedTransactionId(algorithm, args)).toBe(each.txid)
      else expect(() => derivedTransactionId(algorithm, args)).toThrow(each.error)
    })
  }

  it('has a long form of DER length above 65,535 bytes', () => {
    const der = derArguments([new Uint8Array(70_000)])
    expect(Buffer.from(der.subarray(0, 12)).toString('hex')).toBe('308301117a30830111750483')
  })
})

describe('a random transaction id', () => {
  it('is a UUID of version 4 in lower case', () => {
    expect(randomTransactionId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })
})
