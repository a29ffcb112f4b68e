import {
  ChaincodeMessage,
  ChaincodeMessage_Type as T,
  ChaincodeSpec,
  PutStateInfo,
  RangeQueryState,
  RangeQueryStateClose,
  RangeQueryStateNext,
  RangeQueryStateResponse,
  decode,
  encode,
} from '../../../proto/index.js'

/** How a stub reaches the peer: one request, one answer, one at a time per transaction. */
export interface GoRequests {
  request(type: T, txid: string, payload: Uint8Array): Promise<ChaincodeMessage>
}

/** What chaincode written for the original Go shim calls (spec/chaincode.md §17.2): nil and empty are the same, keys are bytes. */
export class GoStub {
  event: { readonly name: string; readonly payload: string } | undefined

  constructor(
    private readonly shim: GoRequests,
    readonly txid: string,
    private readonly isTransaction: boolean,
  ) {}

  async getState(key: string): Promise<Buffer> {
    return this.ask(T.GET_STATE, Buffer.from(key))
  }

  async putState(key: string, value: string | Buffer): Promise<void> {
    if (!this.isTransaction) throw new Error('Cannot put state in query context')
    await this.putStateUnchecked(key, value)
  }

  /** What a chaincode sends that does not use the shim's own check. */
  async putStateUnchecked(key: string, value: string | Buffer): Promise<void> {
    await this.ask(T.PUT_STATE, encode(PutStateInfo, { key: Buffer.from(key), value: Buffer.from(value) }))
  }

  async delState(key: string): Promise<void> {
    if (!this.isTransaction) throw new Error('Cannot del state in query context')
    await this.ask(T.DEL_STATE, Buffer.from(key))
  }

  /** As the Go iterator: batches on demand, and always a CLOSE, also for what the peer has dropped. */
  async *range(start: string, end: string): AsyncGenerator<readonly [key: string, value: string]> {
    let page = this.page(await this.ask(T.RANGE_QUERY_STATE, encode(RangeQueryState, { startKey: Buffer.from(start), endKey: Buffer.from(end) })))
    try {
      for (;;) {
        for (const { key, value } of page.keysAndValues) yield [Buffer.from(key).toString(), Buffer.from(value).toString()] as const
        if (!page.hasMore) return
        page = await this.nextPage(page.ID)
      }
    } finally {
      await this.ask(T.RANGE_QUERY_STATE_CLOSE, encode(RangeQueryStateClose, { ID: page.ID }))
    }
  }

  async nextPage(ID: string): Promise<RangeQueryStateResponse> {
    return this.page(await this.ask(T.RANGE_QUERY_STATE_NEXT, encode(RangeQueryStateNext, { ID })))
  }

  async invokeChaincode(name: string, args: readonly string[]): Promise<Buffer> {
    if (!this.isTransaction) throw new Error('Cannot invoke chaincode in query context')
    return this.callee(T.INVOKE_CHAINCODE, T.COMPLETED, name, args)
  }

  queryChaincode(name: string, args: readonly string[]): Promise<Buffer> {
    return this.callee(T.INVOKE_QUERY, T.QUERY_COMPLETED, name, args)
  }

  setEvent(name: string, payload: string): void {
    this.event = { name, payload }
  }

  private page(payload: Uint8Array): RangeQueryStateResponse {
    return decode(RangeQueryStateResponse, payload)
  }

  private async callee(type: T, success: T, name: string, args: readonly string[]): Promise<Buffer> {
    const spec = ChaincodeSpec.fromPartial({ chaincodeID: { name }, ctorMsg: { args: args.map((arg) => Buffer.from(arg)) } })
    const answer = decode(ChaincodeMessage, await this.ask(type, encode(ChaincodeSpec, spec)))
    if (answer.type !== success) throw new Error(Buffer.from(answer.payload).toString())
    return Buffer.from(answer.payload)
  }

  private async ask(type: T, payload: Uint8Array): Promise<Buffer> {
    const answer = await this.shim.request(type, this.txid, payload)
    if (answer.type === T.RESPONSE) return Buffer.from(answer.payload)
    if (answer.type === T.ERROR) throw new Error(Buffer.from(answer.payload).toString())
    throw new Error('Incorrect chaincode message received')
  }
}
