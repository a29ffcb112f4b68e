/**
 * The messages between a chaincode and its peer without the services, and so without gRPC: for code that also runs where there is no network,
 * inside a deployed chaincode (plugins/chaincode/node).
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
