/**
 * The TypeScript chaincode API: `import type { Chaincode } from 'weft/chaincode'`.
 *
 * @packageDocumentation
 */
export * from './portable.js'
