/**
 * gRPC: the listeners of a peer, how services are written, and how commands reach a running peer.
 *
 * @packageDocumentation
 */
export { type ClientCredentials, clientCredentials, dialCredentials } from './client-credentials.js'
export { GrpcCommand } from './command.js'
export { explainDialFailure } from './dial-failure.js'
export { type ClientClass, dialFailure, dialPeer, isRpcError, rpcDetails, rpcErrorText, rpcFacts, stateChanges, USAGE_AFTER_CALLS } from './dial.js'
export { callerHost, isLocal, type LocatedCall } from './local-caller.js'
export { grpcKeys } from './keys.js'
export { type BytesCall, type MessageReceiver, type MessageStream, messageStream } from './message-stream.js'
export { type GrpcStatus, cutStream, failStream, streaming, toGrpcStatus, unary } from './methods.js'
export { default } from './plugin.js'
export { type ListenerTraffic, type MethodTraffic, TRAFFIC, type Traffic } from './traffic.js'
