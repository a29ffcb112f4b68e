/** Bytes everywhere; strings are taken as UTF-8. */
export type Bytes = Uint8Array
export type Key = string | Bytes
/** What a handler returns: its payload. An error that it throws is the failure; its message becomes the payload. */
export type Result = Bytes | string | void

/** A chaincode: three entry points as in v0.6 (spec/chaincode.md §21.1). */
export interface Chaincode {
  init?(stub: ChaincodeStub, fn: string, args: string[]): Promise<Result> | Result
  invoke?(stub: ChaincodeStub, fn: string, args: string[]): Promise<Result> | Result
  query?(stub: QueryStub, fn: string, args: string[]): Promise<Result> | Result
}

/** One state entry of a range. */
export interface RangeEntry {
  readonly key: Bytes
  /** Lossy UTF-8 view of `key`. */
  readonly keyString: string
  readonly value: Bytes
}

/** Where a chaincode's own log lines go. */
export interface ChaincodeLog {
  debug(message: string): void
  info(message: string): void
  warning(message: string): void
  error(message: string): void
}

/** Everything allowed in a query. */
export interface QueryStub {
  /** For init: the chaincode's name. */
  readonly txId: string
  /** Set by whoever created the transaction; the only clock a chaincode may use. */
  readonly txTimestamp: { readonly seconds: bigint; readonly nanos: number } | undefined
  getArgs(): Bytes[]
  getStringArgs(): string[]
  getFunctionAndParameters(): { fcn: string; params: string[] }
  /** `undefined` for an absent (or empty) value. */
  getState(key: Key): Promise<Bytes | undefined>
  /** Inclusive bounds, empty = unbounded. Order is that of the ledger (hash buckets), not of keys; see `sortedRange`. */
  getStateByRange(start: Key, end: Key): AsyncIterable<RangeEntry>
  /** Collects a range and sorts it by key bytes. */
  sortedRange(start: Key, end: Key): Promise<RangeEntry[]>
  queryChaincode(name: string, args: readonly (string | Bytes)[]): Promise<Bytes>
  getCallerCertificate(): Bytes | undefined
  getCallerMetadata(): Bytes | undefined
  getBinding(): Bytes | undefined
  /** The serialised ChaincodeInput. */
  getPayload(): Bytes
  readonly identity: CallerIdentity
  /**
   * ECDSA: DER certificate (not verified against any authority), DER signature; the digest's size follows from the key's curve.
   * Throws for a certificate that cannot be read or has another kind of key.
   */
  verifySignature(certificate: Bytes, signature: Bytes, message: Bytes, family?: 'SHA2' | 'SHA3'): boolean
  /** A typed view of a table. Columns named like array indexes (`'0'`) cannot keep their order in an object: use `createTable` for them. */
  table<D extends TableDefinition>(name: string, definition: D): ReadTable<D>
  /** The columns of a table. Throws TableNotFoundError. */
  getTable(name: string): Promise<ColumnDefinition[]>
  /** `undefined` if there is no such row; `key` holds all key columns. */
  getRow(table: string, key: readonly (Column | undefined)[]): Promise<(Column | undefined)[] | undefined>
  /** Rows whose leading key columns are `key`, in ledger order. Like v0.6, it does not find rows whose next key column is empty. */
  getRows(table: string, key: readonly (Column | undefined)[]): AsyncIterable<(Column | undefined)[]>
  readonly log: ChaincodeLog
}

/** Everything allowed in init and invoke. */
export interface ChaincodeStub extends QueryStub {
  putState(key: Key, value: Bytes | string): Promise<void>
  deleteState(key: Key): Promise<void>
  /** Another name of `deleteState`. */
  delState(key: Key): Promise<void>
  invokeChaincode(name: string, args: readonly (string | Bytes)[]): Promise<Bytes>
  /** One event per invocation; the last call wins. */
  setEvent(name: string, payload: Bytes | string): void
  table<D extends TableDefinition>(name: string, definition: D): Table<D>
  /** Throws TableError with v0.6's text if the table exists or the columns are not valid. */
  createTable(name: string, columns: readonly ColumnDefinition[]): Promise<void>
  /** Deletes rows and definition; a table that does not exist is no error. */
  deleteTable(name: string): Promise<void>
  /** False if a row with that key exists. Throws TableNotFoundError, TableError. */
  insertRow(table: string, row: readonly (Column | undefined)[]): Promise<boolean>
  /** False if there is no row with that key. Throws TableNotFoundError, TableError. */
  replaceRow(table: string, row: readonly (Column | undefined)[]): Promise<boolean>
  deleteRow(table: string, key: readonly (Column | undefined)[]): Promise<void>
}

/** Attributes of the caller's certificate. */
export interface CallerIdentity {
  /** `undefined` if the certificate has no such attribute. Throws IdentityError if there is no certificate, or none with attributes. */
  getAttributeValue(name: string): Bytes | undefined
  /** As v0.6's ReadCertAttribute: a missing attribute is an IdentityError too. */
  readAttribute(name: string): Bytes
  assertAttributeValue(name: string, value: string | Bytes): boolean
  assertAttributes(all: Readonly<Record<string, string | Bytes>>): boolean
}

/** Column types as TypeScript sees them. */
export interface ColumnTypes {
  string: string
  int32: number
  int64: bigint
  uint32: number
  uint64: bigint
  bytes: Bytes
  bool: boolean
}

export type ColumnType = keyof ColumnTypes

/** One column of a table as it is stored. */
export interface ColumnDefinition {
  readonly name: string
  readonly type: ColumnType
  readonly key?: boolean
}

/** One value of a row, with its type. */
export type Column = { [Type in ColumnType]: { readonly type: Type; readonly value: ColumnTypes[Type] } }[ColumnType]

/** Columns in definition order; at least one is a key (spec/chaincode.md §18). */
export type TableDefinition = Readonly<Record<string, { readonly type: keyof ColumnTypes; readonly key?: boolean }>>

/** A row: every column has a value. */
export type Row<D extends TableDefinition> = { [Column in keyof D]: ColumnTypes[D[Column]['type']] }

/** The values of leading key columns, or of all of them. */
export type PartialKey<D extends TableDefinition> = Partial<Row<D>>

export interface ReadTable<D extends TableDefinition> {
  /** `undefined` if there is no such row. */
  get(key: PartialKey<D>): Promise<Row<D> | undefined>
  /** Rows whose leading key columns have these values, in ledger order. */
  rows(key?: PartialKey<D>): AsyncIterable<Row<D>>
}

export interface Table<D extends TableDefinition> extends ReadTable<D> {
  /** False if the table exists. */
  create(): Promise<boolean>
  /** False if a row with that key exists. Throws TableNotFoundError. */
  insert(row: Row<D>): Promise<boolean>
  /** False if there is no row with that key. */
  replace(row: Row<D>): Promise<boolean>
  delete(key: PartialKey<D>): Promise<void>
  drop(): Promise<void>
}
