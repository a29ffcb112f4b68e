/**
 * The TypeScript chaincode API: `import { start, type Chaincode } from 'weft/chaincode'`.
 *
 * @packageDocumentation
 */
export type {
  Bytes,
  CallerIdentity,
  Chaincode,
  ChaincodeLog,
  ChaincodeStub,
  ColumnTypes,
  Key,
  PartialKey,
  QueryStub,
  RangeEntry,
  ReadTable,
  Result,
  Row,
  Table,
  TableDefinition,
} from './types.js'
