import { describe, expect, it } from 'vitest'
import { Block, ChaincodeDeploymentSpec, Transaction_Type, decode, encode, publicBlock } from '../../proto/index.js'

const deployment = encode(
  ChaincodeDeploymentSpec,
  ChaincodeDeploymentSpec.fromPartial({ chaincodeSpec: { chaincodeID: { name: 'mycc' } }, codePackage: Buffer.from('code') }),
)

describe('a block as clients get it', () => {
  it('holds deploys without their code package', () => {
    const bytes = encode(Block, Block.fromPartial({ transactions: [{ type: Transaction_Type.CHAINCODE_DEPLOY, payload: deployment, txid: 'mycc' }] }))
    const [transaction] = decode(Block, publicBlock(bytes)).transactions
    expect(transaction?.txid).toBe('mycc')
    expect(decode(ChaincodeDeploymentSpec, transaction?.payload ?? new Uint8Array(0))).toMatchObject({
      codePackage: new Uint8Array(0),
      chaincodeSpec: { chaincodeID: { name: 'mycc' } },
    })
  })

  it('leaves a deploy payload alone that cannot be read', () => {
    const bytes = encode(Block, Block.fromPartial({ transactions: [{ type: Transaction_Type.CHAINCODE_DEPLOY, payload: Buffer.from([0xff]) }] }))
    expect(publicBlock(bytes)).toBe(bytes)
  })

  it('is the stored block itself when it holds no deploy', () => {
    const bytes = encode(Block, Block.fromPartial({ stateHash: Buffer.from('s') }))
    expect(publicBlock(bytes)).toBe(bytes)
  })
})
