/**
 * The TypeScript chaincode API: `import { main, type Chaincode } from 'weft/chaincode'`.
 *
 * @packageDocumentation
 */
export * from './portable.js'
export type { StartOptions } from './options.js'
export { main, start } from './start.js'
