import { createToken } from '../../kernel/index.js'
import type { ChaincodeSupport } from './support.js'

/** Executing, querying and packaging chaincode. */
export const CHAINCODE = createToken<ChaincodeSupport>('chaincode', 'weft/plugins/chaincode')
