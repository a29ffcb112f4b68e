import { createToken } from '../../kernel/index.js'
import type { ChaincodeCounters } from './counters.js'
import type { ChaincodeSupport } from './support.js'

/** Executing, querying and packaging chaincode. */
export const CHAINCODE = createToken<ChaincodeSupport>('chaincode', 'weft/plugins/chaincode')

/** What chaincode has done so far. */
export const CHAINCODE_COUNTERS = createToken<ChaincodeCounters>('chaincode counters', 'weft/plugins/chaincode')
