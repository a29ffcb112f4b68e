/**
 * What needs no gRPC: the messages between a chaincode and its peer without the services, and v0.6's hash. For code that also runs where there is no network,
 * inside a deployed chaincode (plugins/chaincode/node) or the process of an engine (plugins/engines).
 *
 * @packageDocumentation
 */
export {
  ChaincodeID,
  ChaincodeInput,
  ChaincodeMessage,
  ChaincodeMessage_Type,
  ChaincodeSpec,
  PutStateInfo,
  RangeQueryState,
  RangeQueryStateClose,
  RangeQueryStateNext,
  RangeQueryStateResponse,
} from './gen/chaincode.js'
export * as table from './gen/table.js'
export { shake256, shake256Hex } from './shake256/shake256.js'
