/**
 * Deploying, invoking and querying chaincode: the v0.6 Devops service and `peer chaincode deploy|invoke|query`.
 *
 * @packageDocumentation
 */
export type { Caller, Devops, Submitted } from './devops.js'
export { OUTCOME, WAIT } from './outcome.js'
export { default } from './plugin.js'
export { DEVOPS } from './token.js'
