/** What a called chaincode answered. */
export interface CallAnswer {
  readonly ok: boolean
  /** Its result, or its error text. */
  readonly payload: Uint8Array
}

/** One key and its value. */
export interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** A range read in batches of up to 100 entries, as on the wire, so that writes during an iteration act alike everywhere (spec/chaincode.md §7). */
export interface RangeCursor {
  /** The next entries, or `undefined` at the end. */
  next(): Promise<readonly Entry[] | undefined>
  /** Ends the iteration; always called exactly once. */
  close(): Promise<void>
}

/**
 * How one call of a chaincode reaches its peer: directly, over a pipe or over a gRPC stream.
 * Requests may be made before earlier ones are answered; they act in the order in which they were made. A refusal throws {@link RequestError}.
 */
export interface CallPort {
  get(key: Uint8Array): Promise<Uint8Array | undefined> | Uint8Array | undefined
  put(key: Uint8Array, value: Uint8Array): Promise<void> | void
  delete(key: Uint8Array): Promise<void> | void
  range(startKey: Uint8Array, endKey: Uint8Array): RangeCursor
  callChaincode(kind: 'invoke' | 'query', name: string, args: readonly Uint8Array[]): Promise<CallAnswer>
}

/** The caller's proof and the circumstances of a call (spec/chaincode.md §10). */
export interface CallContext {
  readonly callerCert: Uint8Array
  readonly binding: Uint8Array
  readonly metadata: Uint8Array
  readonly payload: Uint8Array
  readonly txTimestamp?: { readonly seconds: bigint; readonly nanos: number } | undefined
}

/** One init, invoke or query as a chaincode's process sees it. */
export interface CallInfo {
  readonly kind: 'init' | 'invoke' | 'query'
  readonly txid: string
  readonly args: readonly Uint8Array[]
  readonly context: CallContext
}

/** What the API needs of the process it runs in. */
export interface ChaincodeHost {
  /** ECDSA over `message` by the key of a DER certificate; throws for a certificate with another kind of key. */
  verifySignature(certificate: Uint8Array, signature: Uint8Array, message: Uint8Array, family: HashFamily): boolean
  log(level: 'debug' | 'info' | 'warning' | 'error', message: string): void
}

/** Hash family of signatures; a v0.6 network's default is SHA3. */
export type HashFamily = 'SHA2' | 'SHA3'
