/**
 * The hash of v0.6 without messages and services, and so without gRPC: for code that also runs in the process of an engine (plugins/engines).
 *
 * @packageDocumentation
 */
export { shake256, shake256Base64, shake256Hex } from './shake256/shake256.js'
