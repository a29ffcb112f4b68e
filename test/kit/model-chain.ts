import { type DeliveredBlock, type Head, type RequestId, requestId } from '../../plugins/consensus/index.js'
import { BlockchainInfo, decode, encode, orUndefined, Transaction } from '../../proto/index.js'
import { latin1 } from './latin1.js'
import { quickHash } from './quick-hash.js'
import { isBoundToFail } from './transactions.js'

/** A transaction as the model of a host knows it; one object for the same bytes, whoever has them. */
export interface ModelTransaction {
  /** Its bytes, in latin1. */
  readonly content: string
  readonly bytes: Uint8Array
  /** Undefined: the bytes are no transaction. */
  readonly txid: string | undefined
  /** Its execution fails. */
  readonly fails: boolean
  /** In the order in which the world met them. */
  readonly serial: number
}

/** The state after some transactions, as a fingerprint of all that ever succeeded, in order. */
export interface ModelState {
  readonly a: number
  readonly b: number
  readonly hash: Uint8Array | undefined
}

const EMPTY_STATE: ModelState = { a: 0x9e3779b9, b: 0x85ebca6b, hash: undefined }
const NOTHING = new Uint8Array(0)

/** A block; one object for the same content after the same block, so that equal chains are the same objects. */
export class ModelBlock {
  /** What engines are told of it when none of its requests was rejected. */
  readonly delivered: DeliveredBlock

  constructor(
    readonly number: bigint,
    /** Its hash, in latin1: names the block and all before it. */
    readonly name: string,
    readonly head: Head,
    readonly transactions: readonly ModelTransaction[],
    readonly metadata: Uint8Array | undefined,
    readonly state: ModelState,
    readonly previous: ModelBlock | undefined,
    readonly serial: number,
  ) {
    this.delivered = { number, hash: head.hash, stateHash: state.hash, head }
  }
}

/** All transactions and blocks of one simulated world. Content is compared, never a hash, so nothing can collide. */
export class ModelLibrary {
  readonly #transactions = new Map<string, ModelTransaction>()
  readonly #ids = new Map<ModelTransaction, RequestId>()
  readonly #blocks = new Map<string, ModelBlock>()
  readonly genesis = this.#make('genesis', undefined, [], undefined, EMPTY_STATE)

  /** The transaction that bytes are. */
  transaction(bytes: Uint8Array): ModelTransaction {
    const content = latin1(bytes)
    const known = this.#transactions.get(content)
    if (known) return known
    const txid = orUndefined(() => decode(Transaction, bytes).txid)
    const made = { content, bytes, txid, fails: txid !== undefined && isBoundToFail(txid), serial: this.#transactions.size }
    this.#transactions.set(content, made)
    return made
  }

  /** The id of a request, as hosts reckon it. */
  idOf(transaction: ModelTransaction): RequestId {
    const known = this.#ids.get(transaction)
    if (known !== undefined) return known
    const id = requestId(transaction.bytes)
    this.#ids.set(transaction, id)
    return id
  }

  /** The state after one more transaction that succeeded. */
  execute({ a, b }: ModelState, { serial }: ModelTransaction): ModelState {
    return { a: Math.imul(a ^ serial, 0x01000193), b: (Math.imul(b, 31) + (a >>> 7) + serial) | 0, hash: undefined }
  }

  /** With its hash at hand. */
  hashed(state: ModelState): ModelState {
    if (state.hash !== undefined || (state.a === EMPTY_STATE.a && state.b === EMPTY_STATE.b)) return state
    return { a: state.a, b: state.b, hash: quickHash(`state ${state.a} ${state.b}`) }
  }

  /** The block of these transactions after another. */
  block(previous: ModelBlock, transactions: readonly ModelTransaction[], metadata: Uint8Array | undefined, state: ModelState): ModelBlock {
    let key = `${previous.serial} ${metadata === undefined ? '' : latin1(metadata)}`
    for (const { serial } of transactions) key += ` ${serial}`
    return this.#blocks.get(key) ?? this.#make(key, previous, transactions, metadata, state)
  }

  #make(
    key: string,
    previous: ModelBlock | undefined,
    transactions: readonly ModelTransaction[],
    metadata: Uint8Array | undefined,
    state: ModelState,
  ): ModelBlock {
    const number = previous === undefined ? 0n : previous.number + 1n
    const hash = quickHash(key)
    const blob = encode(BlockchainInfo, { height: number + 1n, currentBlockHash: hash, previousBlockHash: previous?.head.hash ?? NOTHING })
    const block = new ModelBlock(
      number,
      latin1(hash),
      { height: number + 1n, hash, blob },
      transactions,
      metadata,
      this.hashed(state),
      previous,
      this.#blocks.size,
    )
    this.#blocks.set(key, block)
    return block
  }
}
