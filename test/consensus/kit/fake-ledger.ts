import { createHash } from 'node:crypto'
import { Block, type BlockchainInfo, blockTransactions, canonicalBlock, decode, encodeBlock, Transaction, Transaction_Type } from '../../../proto/index.js'
import type { ChaincodeSupport } from '../../../plugins/chaincode/index.js'
import type { CommittedBlock, ExecutedTransaction, Ledger, LedgerBatch, TransactionLocation } from '../../../plugins/ledger/index.js'
import type { Namespace, Store } from '../../../plugins/level/index.js'

const EMPTY = new Uint8Array()

/** A chain without world state, kept in namespace `chain` of a store; one write a block. */
export class FakeLedger
  implements Pick<Ledger, 'info' | 'height' | 'openBatch' | 'block' | 'blockBytes' | 'stateHash' | 'locate' | 'locateBytes' | 'committed'>
{
  readonly committed = { get: () => undefined, async *range() {} }
  private readonly chain: Namespace
  private head: BlockchainInfo
  isOpen = false

  constructor(private readonly store: Store) {
    this.chain = store.namespace('chain')
    let height = 0n
    while (this.chain.get(key(height))) height++
    this.head = { height, currentBlockHash: this.hash(height - 1n), previousBlockHash: this.hash(height - 2n) }
  }

  info(): BlockchainInfo {
    return this.head
  }

  height(): bigint {
    return this.head.height
  }

  stateHash(): Uint8Array | undefined {
    return this.head.height === 0n ? undefined : this.head.currentBlockHash.subarray(0, 8)
  }

  blockBytes(number: bigint): Uint8Array | undefined {
    return this.chain.get(key(number))
  }

  block(number: bigint): Block | undefined {
    const bytes = this.blockBytes(number)
    return bytes && decode(Block, bytes)
  }

  locate(txid: string): TransactionLocation | undefined {
    for (let block = this.head.height - 1n; block >= 0n; block--) {
      const index = this.block(block)?.transactions.findLastIndex((transaction) => transaction.txid === txid) ?? -1
      if (index >= 0) return { block, index }
    }
    return undefined
  }

  locateBytes(_txid: string, bytes: Uint8Array): TransactionLocation | undefined {
    for (let block = this.head.height - 1n; block >= 0n; block--) {
      const index = blockTransactions(this.blockBytes(block) ?? EMPTY).findIndex((transaction) => Buffer.compare(transaction, bytes) === 0)
      if (index >= 0) return { block, index }
    }
    return undefined
  }

  /** Payloads of all committed transactions, as text, block by block. */
  payloads(): string[][] {
    return Array.from({ length: Number(this.head.height) }, (_, number) =>
      (this.block(BigInt(number))?.transactions ?? []).map(({ payload }) => Buffer.from(payload).toString()),
    )
  }

  openBatch(): LedgerBatch {
    if (this.isOpen) throw new Error('a batch is open already')
    this.isOpen = true
    return {
      begin: () => {
        throw new Error('this ledger has no state')
      },
      stateHash: async () => this.stateHash(),
      preview: async () => this.head,
      commit: (executed, metadata, also) => this.commit(executed, metadata, also),
      rollback: () => {
        this.isOpen = false
      },
    }
  }

  private async commit(
    executed: readonly ExecutedTransaction[],
    metadata: Uint8Array | undefined,
    also: Parameters<LedgerBatch['commit']>[2],
  ): Promise<CommittedBlock> {
    const number = this.head.height
    const successful = executed.filter(({ result }) => result.error === undefined).map(({ bytes }) => bytes)
    const header = { ...Block.fromPartial({}), previousBlockHash: this.head.currentBlockHash, consensusMetadata: metadata ?? EMPTY }
    const bytes = encodeBlock(header, successful)
    const batch = this.store.batch()
    batch.put(this.chain, key(number), bytes)
    also?.(batch)
    await this.store.commit(batch, 'block')
    this.isOpen = false
    this.head = { height: number + 1n, currentBlockHash: hashOf(bytes), previousBlockHash: this.head.currentBlockHash }
    return { number, bytes, info: this.head, executed }
  }

  /** Becomes a copy of another chain, as a state transfer would do. */
  replaceWith(other: FakeLedger): void {
    const batch = this.store.batch()
    for (let number = 0n; number < other.height(); number++) batch.put(this.chain, key(number), other.blockBytes(number) ?? EMPTY)
    void this.store.commit(batch, 'block')
    this.head = other.info()
  }

  private hash(number: bigint): Uint8Array {
    const bytes = number < 0n ? undefined : this.chain.get(key(number))
    return bytes ? hashOf(canonicalBlock(bytes)) : EMPTY
  }
}

function key(number: bigint): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(number)
  return bytes
}

function hashOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('shake256', { outputLength: 64 }).update(bytes).digest())
}

/** Executes by doing nothing: a transaction whose payload begins with `fail` is rejected. `before` delays each execution. */
export function fakeChaincode(before: () => Promise<void> | void = () => undefined): Pick<ChaincodeSupport, 'execute'> {
  return {
    async execute(_batch, transactions) {
      await before()
      return transactions.map(({ bytes, transaction }) => {
        const failed = Buffer.from(transaction.payload.subarray(0, 4)).toString() === 'fail'
        return { bytes, result: { txid: transaction.txid, ...(failed ? { error: 'it failed' } : {}) } }
      })
    },
  }
}

/** A transaction that carries a text. */
export function transactionOf(payload: string): Uint8Array {
  return Transaction.encode(Transaction.fromPartial({ type: Transaction_Type.CHAINCODE_INVOKE, txid: `tx-${payload}`, payload: Buffer.from(payload) })).finish()
}
