/**
 * Registering, running and isolating chaincode. See README.md.
 *
 * @packageDocumentation
 */
export type { CallCounters, ChaincodeCounters } from './counters.js'
export { chaincodeKeys, compatibilityKeys } from './keys.js'
export { default } from './plugin.js'
export type { Call, CallResult, CallState, ChaincodeLauncher, ChaincodeRuntime, CodePackage } from './runtime.js'
export type { ChaincodeSupport, OrderedTransaction, SystemChaincodeOptions } from './support.js'
export { CHAINCODE, CHAINCODE_COUNTERS } from './token.js'
