/**
 * REST: the HTTP routes of v0.6, JSON-RPC at /chaincode, an OpenAPI document. Its listener is named `rest`: other plugins may put routes beside
 * (list `REST` in `uses`, then `http.find('rest')`).
 *
 * @packageDocumentation
 */
export { restKeys } from './keys.js'
export { default } from './plugin.js'
export { REST } from './token.js'
