import { Block, ChaincodeDeploymentSpec, Transaction_Type, WireError, decode, encode } from '../../proto/index.js'

/**
 * A stored block as clients get it: deploy transactions without their code package (spec/node.md §5), everything else byte for byte.
 * A deploy payload that is not a deployment specification stays as it is. Returns `bytes` itself if nothing changes.
 */
export function publicBlock(bytes: Uint8Array): Uint8Array {
  const block = decode(Block, bytes)
  let changed = false
  for (const transaction of block.transactions) {
    if (transaction.type !== Transaction_Type.CHAINCODE_DEPLOY) continue
    const payload = withoutCode(transaction.payload)
    if (payload === undefined) continue
    transaction.payload = payload
    changed = true
  }
  return changed ? encode(Block, block) : bytes
}

function withoutCode(payload: Uint8Array): Uint8Array | undefined {
  try {
    const specification = decode(ChaincodeDeploymentSpec, payload)
    if (specification.codePackage.length === 0) return undefined
    return encode(ChaincodeDeploymentSpec, { ...specification, codePackage: new Uint8Array(0) })
  } catch (error) {
    if (error instanceof WireError) return undefined // an encrypted payload, for example
    throw error
  }
}
