/**
 * Messages as JSON in the form of v0.6, written from their serialised form (spec/node.md §6.2).
 *
 * @packageDocumentation
 */
export { goString, goUtf8, quotedByte } from './go-text.js'
export {
  BLOCK_JSON,
  BLOCKCHAIN_INFO_JSON,
  CHAINCODE_EVENT_JSON,
  type JsonMessage,
  PEERS_MESSAGE_JSON,
  REJECTION_JSON,
  TRANSACTION_JSON,
  writeJsonMessage,
} from './messages.js'
export { JsonWriter } from './writer.js'
