import { PeerError } from '../../../kernel/index.js'
import type { CommittedState, StateEntry, TransactionState } from '../../ledger/index.js'
import type { CallState } from '../runtime.js'
import { refusal } from './errors.js'
import { goBytes, texts } from './texts.js'

/** Range queries that one call may keep open at a time. */
const MAX_OPEN_RANGES = 256

/** State of one call, with an end: afterwards every use of it is refused, so that a late write never reaches another transaction. */
export interface BoundedCallState extends CallState {
  /** Ends the call's access and closes its range queries; nothing is returned if none is open. */
  end(): Promise<void> | undefined
}

/** Told when the ledger itself failed: then the batch must not go on. */
export type LedgerFault = (cause: unknown) => void

abstract class NamespaceState implements BoundedCallState {
  private isOpen = true
  private ranges: Set<AsyncIterator<StateEntry>> | undefined

  constructor(
    protected readonly namespace: Uint8Array,
    private readonly onFault: LedgerFault,
  ) {}

  get(key: Uint8Array): Uint8Array | undefined {
    this.assertOpen()
    try {
      return this.read(key)
    } catch (cause) {
      throw this.fault(cause)
    }
  }

  abstract put(key: Uint8Array, value: Uint8Array): void
  abstract delete(key: Uint8Array): void
  protected abstract read(key: Uint8Array): Uint8Array | undefined
  protected abstract scan(startKey: Uint8Array, endKey: Uint8Array): AsyncIterable<StateEntry>

  async *range(startKey: Uint8Array, endKey: Uint8Array): AsyncGenerator<StateEntry> {
    this.assertOpen()
    const ranges = (this.ranges ??= new Set())
    if (ranges.size >= MAX_OPEN_RANGES) throw refusal(`${MAX_OPEN_RANGES} range queries are open in this transaction: close some first`)
    const entries = this.scan(startKey, endKey)[Symbol.asyncIterator]()
    ranges.add(entries)
    try {
      for (;;) {
        const next = await this.step(entries)
        this.assertOpen()
        if (next.done) return
        yield next.value
      }
    } finally {
      if (ranges.delete(entries)) await entries.return?.()
    }
  }

  end(): Promise<void> | undefined {
    this.isOpen = false
    return this.ranges === undefined || this.ranges.size === 0 ? undefined : this.closeRanges(this.ranges)
  }

  private async closeRanges(open: Set<AsyncIterator<StateEntry>>): Promise<void> {
    const left = [...open]
    open.clear()
    for (const entries of left) await entries.return?.()
  }

  protected assertOpen(): void {
    if (!this.isOpen) throw new PeerError('ERR_CHAINCODE_CALL_ENDED', 'the transaction or query has ended: its state can no longer be used')
  }

  protected fault(cause: unknown): unknown {
    this.onFault(cause)
    return cause
  }

  private async step(entries: AsyncIterator<StateEntry>): Promise<IteratorResult<StateEntry>> {
    try {
      return await entries.next()
    } catch (cause) {
      // After the end, a closed iterator may refuse: that is ours, not the ledger's failure.
      if (!this.isOpen) this.assertOpen()
      throw this.fault(cause)
    }
  }
}

/** State of an init or invoke: own writes first (spec/chaincode.md §6). */
export class WritableCallState extends NamespaceState {
  constructor(
    namespace: Uint8Array,
    private readonly state: TransactionState,
    onFault: LedgerFault,
  ) {
    super(namespace, onFault)
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.assertOpen()
    if (key.length === 0 || value.length === 0) throw refusal(texts.emptyKeyOrValue(Buffer.from(key).toString(), goBytes(value)))
    try {
      this.state.put(this.namespace, key, value)
    } catch (cause) {
      throw this.fault(cause)
    }
  }

  delete(key: Uint8Array): void {
    this.assertOpen()
    try {
      this.state.delete(this.namespace, key)
    } catch (cause) {
      throw this.fault(cause)
    }
  }

  protected read(key: Uint8Array): Uint8Array | undefined {
    return this.state.get(this.namespace, key)
  }

  protected scan(startKey: Uint8Array, endKey: Uint8Array): AsyncIterable<StateEntry> {
    return this.state.range(this.namespace, startKey, endKey)
  }
}

/** State of a query: committed state only, nothing can be written (spec/chaincode.md §6, §8). */
export class ReadOnlyCallState extends NamespaceState {
  constructor(
    namespace: Uint8Array,
    private readonly committed: CommittedState,
    onFault: LedgerFault,
  ) {
    super(namespace, onFault)
  }

  put(): void {
    throw refusal(texts.notInQuery('PUT_STATE'))
  }

  delete(): void {
    throw refusal(texts.notInQuery('DEL_STATE'))
  }

  protected read(key: Uint8Array): Uint8Array | undefined {
    return this.committed.get(this.namespace, key)
  }

  protected scan(startKey: Uint8Array, endKey: Uint8Array): AsyncIterable<StateEntry> {
    return this.committed.range(this.namespace, startKey, endKey)
  }
}
