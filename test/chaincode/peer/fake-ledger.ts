import { Transaction, Transaction_Type, decode } from '../../../proto/index.js'
import type { CommittedState, StateEntry, TransactionState } from '../../../plugins/ledger/index.js'

const id = (chaincode: Uint8Array, key: Uint8Array) => `${Buffer.from(chaincode).toString('hex')}/${Buffer.from(key).toString('hex')}`

type Values = Map<string, Uint8Array | undefined>

/** Just enough ledger for executing: three layers; ranges give uncommitted entries in the order of writing, committed ones in that of buckets. */
export class FakeLedger {
  readonly values: Values = new Map()
  readonly transactions = new Map<string, Uint8Array>()
  private readonly deploys = new Map<string, Uint8Array>()
  openViews = 0
  readonly committed: CommittedState = this.reader([this.values])

  view() {
    this.openViews++
    const copy: Values = new Map(this.values)
    return { ...this.reader([copy]), release: async () => void this.openViews-- }
  }

  transactionBytes(txid: string): Uint8Array | undefined {
    return this.transactions.get(txid)
  }

  deployBytes(name: string): Uint8Array | undefined {
    const bytes = this.transactions.get(name)
    if (bytes !== undefined && isDeploy(bytes)) return bytes
    return this.deploys.get(name)
  }

  /** A later transaction of the same id takes its place, but hides no deploy. */
  store(txid: string, bytes: Uint8Array): void {
    this.transactions.set(txid, bytes)
    if (isDeploy(bytes)) this.deploys.set(txid, bytes)
  }

  openBatch(): FakeBatch {
    return new FakeBatch(this)
  }

  seed(chaincode: string, entries: Readonly<Record<string, string>>): void {
    for (const [key, value] of Object.entries(entries)) this.put(chaincode, Buffer.from(key), Buffer.from(value))
  }

  put(chaincode: string, key: Uint8Array, value: Uint8Array): void {
    this.values.set(id(Buffer.from(chaincode), key), value)
  }

  text(chaincode: string, key: string): string | undefined {
    const value = this.values.get(id(Buffer.from(chaincode), Buffer.from(key)))
    return value === undefined ? undefined : Buffer.from(value).toString()
  }

  reader(layers: readonly Values[]): CommittedState {
    return {
      get: (chaincode, key) => {
        const name = id(chaincode, key)
        return layers.find((layer) => layer.has(name))?.get(name)
      },
      range: (chaincode, startKey, endKey) => scan(layers, chaincode, startKey, endKey),
    }
  }
}

const isDeploy = (bytes: Uint8Array): boolean => decode(Transaction, bytes).type === Transaction_Type.CHAINCODE_DEPLOY

export class FakeBatch {
  readonly values: Values = new Map()
  isTransactionOpen = false
  /** Set to make every read fail, as a broken store would. */
  failure: Error | undefined

  constructor(private readonly ledger: FakeLedger) {}

  begin(txid: string): TransactionState {
    if (this.isTransactionOpen || txid === '') throw new Error(`begin ${txid}: open ${this.isTransactionOpen}`)
    this.isTransactionOpen = true
    const own: Values = new Map()
    let isEnded = false
    const check = () => {
      if (isEnded) throw new Error('ERR_LEDGER_TRANSACTION_ENDED')
      if (this.failure !== undefined) throw this.failure
    }
    const reader = this.ledger.reader([own, this.values, this.ledger.values])
    return {
      get: (chaincode, key) => {
        check()
        return reader.get(chaincode, key)
      },
      range: (chaincode, startKey, endKey) => reader.range(chaincode, startKey, endKey),
      put: (chaincode, key, value) => {
        check()
        own.set(id(chaincode, key), value)
      },
      delete: (chaincode, key) => {
        check()
        own.set(id(chaincode, key), undefined)
      },
      finish: (succeeded) => {
        isEnded = true
        this.isTransactionOpen = false
        if (succeeded) for (const [name, value] of own) this.values.set(name, value)
      },
    }
  }

  /** Makes the batch's writes and these transactions part of the ledger. */
  commit(transactions: Readonly<Record<string, Uint8Array>> = {}): void {
    for (const [name, value] of this.values) {
      if (value === undefined) this.ledger.values.delete(name)
      else this.ledger.values.set(name, value)
    }
    for (const [txid, bytes] of Object.entries(transactions)) this.ledger.store(txid, bytes)
  }
}

async function* scan(layers: readonly Values[], chaincode: Uint8Array, startKey: Uint8Array, endKey: Uint8Array): AsyncGenerator<StateEntry> {
  const prefix = `${Buffer.from(chaincode).toString('hex')}/`
  const seen = new Set<string>()
  for (const [depth, layer] of layers.entries()) {
    const isCommitted = depth === layers.length - 1
    for (const [name, value] of isCommitted ? inBucketOrder(layer) : layer) {
      if (!name.startsWith(prefix) || seen.has(name)) continue
      seen.add(name)
      const key = Buffer.from(name.slice(prefix.length), 'hex')
      const isInside = Buffer.compare(key, startKey) >= 0 && (endKey.length === 0 || Buffer.compare(key, endKey) <= 0)
      if (value !== undefined && isInside) yield { key, value }
    }
  }
}

/** The order of v0.6's default store (spec/chaincode.md §7), with its default number of buckets. */
function inBucketOrder(layer: Values): [string, Uint8Array | undefined][] {
  const placed = [...layer].map((entry) => ({ entry, key: compositeKey(entry[0]) }))
  placed.sort((a, b) => bucketOf(a.key) - bucketOf(b.key) || Buffer.compare(a.key, b.key))
  return placed.map(({ entry }) => entry)
}

function compositeKey(name: string): Buffer {
  const [chaincode = '', key = ''] = name.split('/')
  return Buffer.from(`${chaincode}00${key}`, 'hex')
}

function bucketOf(key: Buffer): number {
  let hash = 0x811c9dc5
  for (const byte of key) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return (hash % 1_000_003) + 1
}
