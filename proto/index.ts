/**
 * The v0.6 messages and services, and how they are written, read and hashed. See README.md.
 *
 * @packageDocumentation
 */
export * as attributes from './gen/attributes.js'
export * as membership from './gen/ca.js'
export * as table from './gen/table.js'
export * as pbft from './pbft.js'

export { BlockCount, BlockNumber } from './gen/api.js'
export {
  ChaincodeDeploymentSpec,
  ChaincodeDeploymentSpec_ExecutionEnvironment,
  ChaincodeID,
  ChaincodeInput,
  ChaincodeInvocationSpec,
  ChaincodeMessage,
  ChaincodeMessage_Type,
  ChaincodeSecurityContext,
  ChaincodeSpec,
  ChaincodeSpec_Type,
  ConfidentialityLevel,
  PutStateInfo,
  RangeQueryState,
  RangeQueryStateClose,
  RangeQueryStateKeyValue,
  RangeQueryStateNext,
  RangeQueryStateResponse,
} from './gen/chaincode.js'
export { ChaincodeEvent } from './gen/chaincodeevent.js'
export {
  BuildResult,
  BuildResult_StatusCode,
  ExecuteWithBinding,
  Secret,
  SigmaInput,
  SigmaOutput,
  TransactionRequest,
} from './gen/devops.js'
export { ChaincodeReg, Event, EventType, Interest, Register, Rejection, Unregister } from './gen/events.js'
export {
  Block,
  BlockchainInfo,
  BlockState,
  HelloMessage,
  Message,
  Message_Type,
  NonHashData,
  PeerAddress,
  PeerEndpoint,
  PeerEndpoint_Type,
  PeerID,
  PeersAddresses,
  PeersMessage,
  Response,
  Response_StatusCode,
  SyncBlockRange,
  SyncBlocks,
  SyncStateDeltas,
  SyncStateDeltasRequest,
  SyncStateSnapshot,
  SyncStateSnapshotRequest,
  Transaction,
  Transaction_Type,
  TransactionBlock,
  TransactionResult,
} from './gen/fabric.js'
export { Empty } from './gen/google/protobuf/empty.js'
export { Timestamp } from './gen/google/protobuf/timestamp.js'
export { ServerStatus, ServerStatus_StatusCode } from './gen/server_admin.js'
export {
  BlockQuery,
  ConsensusMember,
  ConsensusReport,
  DialStatus,
  ExportReply,
  ExportRequest,
  ExtendedHello,
  CrossingNote,
  EngineNote,
  EpochBlockMetadata,
  EpochMarker,
  EpochRecord,
  HeadNote,
  HelloSetting,
  HostNote,
  type OperatorSignature,
  OperatorSignatures,
  ObjectionNote,
  PreflightAnswer,
  PreflightQuestion,
  RecoverRequest,
  RecoveryPlan,
  RecoveryReport,
  RecoveryStatement,
  StoredRecovery,
  CancelPlan,
  PlanSwapRequest,
  SuccessionReport,
  SwapCallReply,
  type SwapObjection,
  SwapCancel,
  SwapCandidate,
  SwapPlan as SwapPlanMessage,
  SwapPlanRow,
  SwapProgress,
  SwapProposal,
  SwapReady,
  SeenProposals,
  LedgerInfo,
  LinkStatus,
  LogLevelList,
  NetworkStatus,
  PositionedEvent,
  StateList,
  StateListQuery,
  StateQuery,
  StateValue,
  StoredBlock,
  StoredTransaction,
  TransactionQuery,
  VerifyReply,
  VerifyRequest,
  VerifyResult,
  VitalsReading,
  WeftHello,
} from './gen/weft.js'
export {
  ACAPService,
  AdminService,
  ChaincodeSupportService,
  ConsensusToolsService,
  DevopsService,
  ECAAService,
  ECAPService,
  EventsService,
  LedgerToolsService,
  LogLevelsService,
  NetworkToolsService,
  OpenchainService,
  PeerService,
  TCAAService,
  TCAPService,
  TLSCAAService,
  TLSCAPService,
  VitalsService,
} from './gen/services.js'

export { type BlockHeader, blockTransactions, encodeBlock } from './block.js'
export { blockHashInput, canonicalBlock, canonicalBytes, canonicalTransaction, canonicalWithout, transactionIdBytes } from './canonical.js'
export { decode, encode, type MessageType } from './codec.js'
export { Cursor } from './cursor.js'
export {
  blockChaincodeEvents,
  blockEventBytes,
  chaincodeEventBytes,
  chaincodeEventNames,
  positionedEventBytes,
  rejectionEventBytes,
} from './event-bytes.js'
export { eventJson } from './event-json.js'
export {
  BLOCK_JSON,
  BLOCKCHAIN_INFO_JSON,
  CHAINCODE_EVENT_JSON,
  goString,
  goUtf8,
  type JsonMessage,
  JsonWriter,
  PEERS_MESSAGE_JSON,
  quotedByte,
  REJECTION_JSON,
  TRANSACTION_JSON,
  writeJsonMessage,
} from './json/index.js'
export { hex } from './hex.js'
export { publicBlock } from './public-block.js'
export {
  callUnary,
  type Encodable,
  type Method,
  type MethodHandler,
  method,
  openStream,
  type ServiceHandlers,
  type UnaryCallOptions,
} from './service.js'
export { Slab } from './slab.js'
export { shake256, shake256Base64, shake256Hex } from './shake256/shake256.js'
export { decodeSyncBlocks, encodeSyncBlocks } from './sync-blocks.js'
export { encodeTransactionBlock, transactionBlockTransactions } from './transaction-block.js'
export { orUndefined, WireError, type WireErrorCode } from './wire-error.js'
