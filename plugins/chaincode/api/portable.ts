// Everything of the API that runs anywhere, also inside a deployed bundle: no imports of Node.js.
export {
  ApiError,
  ChaincodeError,
  IdentityError,
  ReadOnlyError,
  RequestError,
  TableError,
  TableNotFoundError,
  TransactionEndedError,
} from './errors.js'
export { compareBytes, utf8, text } from './bytes.js'
export type {
  Bytes,
  CallerIdentity,
  Chaincode,
  ChaincodeLog,
  ChaincodeStub,
  Column,
  ColumnDefinition,
  ColumnType,
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
