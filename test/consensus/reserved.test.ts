import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isToSuccession, refuseReserved } from '../../plugins/consensus/index.js'
import {
  ChaincodeDeploymentSpec,
  ChaincodeID,
  ChaincodeInvocationSpec,
  ChaincodeSpec,
  canonicalTransaction,
  decode,
  encode,
  Transaction,
  Transaction_Type,
} from '../../proto/index.js'

const { UNDEFINED, CHAINCODE_DEPLOY, CHAINCODE_INVOKE, CHAINCODE_QUERY, CHAINCODE_TERMINATE } = Transaction_Type
const TYPES = [UNDEFINED, CHAINCODE_DEPLOY, CHAINCODE_INVOKE, CHAINCODE_QUERY, CHAINCODE_TERMINATE]
const NOTHING = new Uint8Array(0)

const specOf = (name: string) => ChaincodeSpec.fromPartial({ chaincodeID: { name }, ctorMsg: { args: [Buffer.from('prepare'), Buffer.from('x')] } })
const invocation = (name: string) => encode(ChaincodeInvocationSpec, ChaincodeInvocationSpec.fromPartial({ chaincodeSpec: specOf(name) }))
const deployment = (name: string) => encode(ChaincodeDeploymentSpec, ChaincodeDeploymentSpec.fromPartial({ chaincodeSpec: specOf(name) }))
const idOf = (name: string, path = '') => encode(ChaincodeID, { name, path })
const made = (type: Transaction_Type, chaincodeID: Uint8Array, payload: Uint8Array) => Transaction.fromPartial({ type, chaincodeID, payload, txid: 't' })

/** As a peer reads what came in. */
const received = (bytes: Uint8Array): Transaction => decode(Transaction, canonicalTransaction(bytes))
const isRefused = (transaction: Transaction): boolean => {
  try {
    refuseReserved(transaction)
    return false
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_CONSENSUS_RESERVED', grpcStatus: 7 })
    return true
  }
}

describe('the reserved name consensus', () => {
  it.each(TYPES)('is refused in transactions of type %i: as the id, and in the payload of another id, which is what is executed', (type) => {
    for (const payload of [invocation('consensus'), deployment('consensus'), invocation('other'), NOTHING])
      expect(isRefused(received(encode(Transaction, made(type, idOf('consensus'), payload))))).toBe(true)
    for (const id of [idOf('other'), idOf('', 'consensus'), NOTHING, Buffer.from('no chaincode id')])
      for (const payload of [invocation('consensus'), deployment('consensus')])
        expect(isRefused(received(encode(Transaction, made(type, id, payload))))).toBe(true)
  })

  it('is refused behind unknown fields, behind another name that a later one replaces, and in a spec that is given in pieces', () => {
    const unknown = Buffer.from('9a060155', 'hex')
    const twice = Buffer.concat([idOf('other'), idOf('consensus')])
    // chaincodeSpec once with another name and once with this one.
    const pieces = Buffer.concat([invocation('other'), unknown, invocation('consensus')])
    for (const transaction of [
      made(CHAINCODE_INVOKE, Buffer.concat([unknown, idOf('consensus'), unknown]), NOTHING),
      made(CHAINCODE_INVOKE, twice, NOTHING),
      made(CHAINCODE_INVOKE, NOTHING, pieces),
    ])
      expect(isRefused(received(Buffer.concat([unknown, encode(Transaction, transaction), unknown])))).toBe(true)
  })

  it('is left to those who say it otherwise: as a path, in an argument, in another case, as a part of a name', () => {
    const args = encode(
      ChaincodeInvocationSpec,
      ChaincodeInvocationSpec.fromPartial({ chaincodeSpec: { chaincodeID: { name: 'mine' }, ctorMsg: { args: [Buffer.from('consensus')] } } }),
    )
    for (const transaction of [
      made(CHAINCODE_INVOKE, idOf('mine', 'consensus'), args),
      made(CHAINCODE_INVOKE, idOf('Consensus'), invocation('Consensus')),
      made(CHAINCODE_DEPLOY, idOf('consensus2'), deployment('consensus2')),
      made(CHAINCODE_INVOKE, idOf('my consensus'), invocation('consensus\0')),
    ])
      expect(isRefused(received(encode(Transaction, transaction)))).toBe(false)
  })

  it('is refused in everything that is executed as a call of the succession, whatever its bytes', () => {
    const part = fc.oneof(
      fc.constant(idOf('consensus')),
      fc.constant(invocation('consensus')),
      fc.constant(invocation('other')),
      fc.uint8Array({ maxLength: 6 }),
    )
    const bytes = fc.array(part, { maxLength: 4 }).map((parts) => Buffer.concat(parts))
    fc.assert(
      fc.property(fc.constantFrom(...TYPES), bytes, bytes, (type, chaincodeID, payload) => {
        const transaction = made(type, chaincodeID, payload)
        if (isToSuccession(transaction)) expect(isRefused(transaction)).toBe(true)
        if (type !== CHAINCODE_INVOKE) expect(isToSuccession(transaction)).toBe(false)
      }),
    )
  })
})
