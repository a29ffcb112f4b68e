/**
 * ProcessTransaction of the v0.6 Peer service: transactions that clients and other peers made themselves.
 *
 * @packageDocumentation
 */
export { default } from './plugin.js'
