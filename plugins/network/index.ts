/**
 * Links to other peers: the Chat of the v0.6 Peer service.
 *
 * @packageDocumentation
 */
export { discoveryKeys, syncKeys } from './keys.js'
export { default } from './plugin.js'
export { type Network, NETWORK } from './tokens.js'
