import { compareBytes, ownBytes, text } from './bytes.js'
import { ChaincodeError, emptyPutText, ReadOnlyError, RequestError, TransactionEndedError } from './errors.js'
import { callerIdentity } from './identity.js'
import type { CallInfo, CallPort, ChaincodeHost, HashFamily, RangeCursor } from './port.js'
import { iterateRange } from './range.js'
import { RowStore } from './row-store.js'
import { typedTable } from './typed-table.js'
import type { Bytes, CallerIdentity, ChaincodeLog, ChaincodeStub, Column, ColumnDefinition, Key, RangeEntry, Table, TableDefinition } from './types.js'

/** The stub of one call, over any {@link CallPort} (spec/chaincode.md §21.1). */
export class Stub implements ChaincodeStub {
  readonly #call: CallInfo
  readonly #port: CallPort
  readonly #host: ChaincodeHost
  #ended = false
  #pending = 0
  #whenIdle: (() => void) | undefined
  #event: { name: string; payload: Bytes } | undefined
  #identity: CallerIdentity | undefined
  #rows: RowStore | undefined
  #ranges: Set<RangeCursor> | undefined

  constructor(call: CallInfo, port: CallPort, host: ChaincodeHost) {
    this.#call = call
    this.#port = port
    this.#host = host
  }

  get txId(): string {
    return this.#call.txid
  }

  get txTimestamp() {
    return this.#call.context.txTimestamp
  }

  getArgs(): Bytes[] {
    return this.#call.args.map((arg) => new Uint8Array(arg))
  }

  getStringArgs(): string[] {
    return this.#call.args.map(text)
  }

  getFunctionAndParameters(): { fcn: string; params: string[] } {
    const [fcn = '', ...params] = this.getStringArgs()
    return { fcn, params }
  }

  async getState(key: Key): Promise<Bytes | undefined> {
    this.#assertOpen()
    const answer = this.#port.get(ownBytes(key, 'the key'))
    const value = answer instanceof Promise ? await this.#track(answer) : answer
    return value === undefined || value.length === 0 ? undefined : value
  }

  async putState(key: Key, value: Bytes | string): Promise<void> {
    this.#assertWritable('Cannot put state in query context')
    const keyBytes = ownBytes(key, 'the key')
    const valueBytes = ownBytes(value, 'the value')
    if (keyBytes.length === 0 || valueBytes.length === 0) throw new RequestError(emptyPutText(keyBytes, valueBytes))
    const answer = this.#port.put(keyBytes, valueBytes)
    if (answer instanceof Promise) await this.#track(answer)
  }

  async deleteState(key: Key): Promise<void> {
    this.#assertWritable('Cannot del state in query context')
    const answer = this.#port.delete(ownBytes(key, 'the key'))
    if (answer instanceof Promise) await this.#track(answer)
  }

  delState(key: Key): Promise<void> {
    return this.deleteState(key)
  }

  getStateByRange(start: Key, end: Key): AsyncIterable<RangeEntry> {
    const startKey = ownBytes(start, 'the start key')
    const endKey = ownBytes(end, 'the end key')
    return iterateRange({
      assertOpen: () => this.#assertOpen(),
      track: (request) => this.#track(request),
      open: () => this.#openRange(startKey, endKey),
      close: (cursor) => this.#closeRange(cursor),
    })
  }

  async sortedRange(start: Key, end: Key): Promise<RangeEntry[]> {
    const entries: RangeEntry[] = []
    for await (const entry of this.getStateByRange(start, end)) entries.push(entry)
    return entries.sort((left, right) => compareBytes(left.key, right.key))
  }

  async invokeChaincode(name: string, args: readonly (string | Bytes)[]): Promise<Bytes> {
    this.#assertWritable('Cannot invoke chaincode in query context')
    return this.#callChaincode('invoke', name, args)
  }

  async queryChaincode(name: string, args: readonly (string | Bytes)[]): Promise<Bytes> {
    this.#assertOpen()
    return this.#callChaincode('query', name, args)
  }

  setEvent(name: string, payload: Bytes | string): void {
    this.#event = { name, payload: ownBytes(payload, 'the payload of an event') }
  }

  getCallerCertificate(): Bytes | undefined {
    return present(this.#call.context.callerCert)
  }

  getCallerMetadata(): Bytes | undefined {
    return present(this.#call.context.metadata)
  }

  getBinding(): Bytes | undefined {
    return present(this.#call.context.binding)
  }

  getPayload(): Bytes {
    return new Uint8Array(this.#call.context.payload)
  }

  get identity(): CallerIdentity {
    this.#identity ??= callerIdentity(this.#call.context.callerCert)
    return this.#identity
  }

  verifySignature(certificate: Bytes, signature: Bytes, message: Bytes, family: HashFamily = 'SHA3'): boolean {
    return this.#host.verifySignature(certificate, signature, message, family)
  }

  table<D extends TableDefinition>(name: string, definition: D): Table<D> {
    return typedTable(this.#tables, name, definition)
  }

  createTable(name: string, columns: readonly ColumnDefinition[]): Promise<void> {
    return this.#tables.create(name, columns)
  }

  getTable(name: string): Promise<ColumnDefinition[]> {
    return this.#tables.definition(name)
  }

  deleteTable(name: string): Promise<void> {
    return this.#tables.drop(name)
  }

  insertRow(table: string, row: readonly (Column | undefined)[]): Promise<boolean> {
    return this.#tables.insert(table, row)
  }

  replaceRow(table: string, row: readonly (Column | undefined)[]): Promise<boolean> {
    return this.#tables.replace(table, row)
  }

  getRow(table: string, key: readonly (Column | undefined)[]): Promise<(Column | undefined)[] | undefined> {
    return this.#tables.get(table, key)
  }

  getRows(table: string, key: readonly (Column | undefined)[]): AsyncIterable<(Column | undefined)[]> {
    return this.#tables.rows(table, key)
  }

  deleteRow(table: string, key: readonly (Column | undefined)[]): Promise<void> {
    return this.#tables.delete(table, key)
  }

  get log(): ChaincodeLog {
    const host = this.#host
    return {
      debug: (message) => host.log('debug', message),
      info: (message) => host.log('info', message),
      warning: (message) => host.log('warning', message),
      error: (message) => host.log('error', message),
    }
  }

  /** Ends the call: later requests are refused, those on their way are awaited, ranges still open are closed. @internal */
  async end(): Promise<void> {
    this.#ended = true
    for (;;) {
      if (this.#pending > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve))
      const [cursor] = this.#ranges ?? []
      if (cursor === undefined) return
      await this.#closeRange(cursor)
    }
  }

  /** The last event set; a query has none. @internal */
  get event(): { readonly name: string; readonly payload: Bytes } | undefined {
    return this.#call.kind === 'query' ? undefined : this.#event
  }

  get #tables(): RowStore {
    this.#rows ??= new RowStore(this)
    return this.#rows
  }

  async #callChaincode(kind: 'invoke' | 'query', name: string, args: readonly (string | Bytes)[]): Promise<Bytes> {
    const bytes = args.map((arg) => ownBytes(arg, 'an argument'))
    const answer = await this.#track(this.#port.callChaincode(kind, name, bytes))
    if (!answer.ok) throw new ChaincodeError(name, text(answer.payload))
    return answer.payload
  }

  #openRange(startKey: Uint8Array, endKey: Uint8Array): RangeCursor {
    const cursor = this.#port.range(startKey, endKey)
    this.#ranges ??= new Set()
    this.#ranges.add(cursor)
    return cursor
  }

  async #closeRange(cursor: RangeCursor): Promise<void> {
    if (this.#ranges?.delete(cursor) === true) await this.#track(cursor.close())
  }

  #assertOpen(): void {
    if (this.#ended) throw new TransactionEndedError(this.#call.txid)
  }

  #assertWritable(refusal: string): void {
    this.#assertOpen()
    if (this.#call.kind === 'query') throw new ReadOnlyError(refusal)
  }

  async #track<T>(request: Promise<T>): Promise<T> {
    this.#pending += 1
    try {
      return await request
    } finally {
      this.#pending -= 1
      if (this.#pending === 0) this.#whenIdle?.()
    }
  }
}

function present(bytes: Uint8Array): Bytes | undefined {
  return bytes.length === 0 ? undefined : new Uint8Array(bytes)
}
