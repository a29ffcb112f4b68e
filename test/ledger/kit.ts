import { readFileSync } from 'node:fs'
import { type LedgerSettings, type OpenLedger, type SyncableLedger, createLedger } from '../../plugins/ledger/index.js'
import type { Moment } from '../../kernel/index.js'
import { ChaincodeDeploymentSpec, Transaction, Transaction_Type, encode } from '../../proto/index.js'
import { FakeStore } from './fake-store.js'

/** Golden data of the original (spec/ledger.md §17). The caller names the shape that it reads. */
export function vector<T>(file: string, parse: (json: string) => T): T {
  return parse(readFileSync(new URL(`../vectors/ledger/${file}`, import.meta.url), 'utf8'))
}

export const unhex = (hex: string): Uint8Array => Buffer.from(hex, 'hex')
export const hex = (bytes: Uint8Array | undefined): string | null => (bytes === undefined ? null : Buffer.from(bytes).toString('hex'))
export const hexOfPresent = (bytes: Uint8Array): string | null => (bytes.length === 0 ? null : Buffer.from(bytes).toString('hex'))
export const text = (word: string): Uint8Array => Buffer.from(word, 'utf8')

/** A change as the vectors write it. */
export interface Operation {
  readonly chaincodeIDHex: string
  readonly keyHex: string
  readonly op: string
  readonly valueHex?: string | null
}

export const FIXED_TIME: Moment = Object.freeze({ seconds: 1466000000n, nanos: 5 })
export const fixedClock = Object.freeze({ now: () => FIXED_TIME })

/** A ledger with a genesis block in a fake store. */
export async function newLedger(settings: Partial<LedgerSettings> = {}, store = new FakeStore()): Promise<{ ledger: OpenLedger; store: FakeStore }> {
  return { ledger: await createLedger({ store, clock: fixedClock, settings, genesis: true }), store }
}

/** Runs the operations as one transaction in a batch of its own and commits it. */
export async function commitOperations(ledger: SyncableLedger, txid: string, operations: readonly Operation[]): Promise<void> {
  const batch = ledger.openBatch()
  const transaction = batch.begin(txid)
  for (const { chaincodeIDHex, keyHex, op, valueHex } of operations) {
    if (op === 'put') transaction.put(unhex(chaincodeIDHex), unhex(keyHex), unhex(valueHex ?? ''))
    else transaction.delete(unhex(chaincodeIDHex), unhex(keyHex))
  }
  transaction.finish(true)
  await batch.commit([{ bytes: transactionOf(txid), result: { txid } }], undefined)
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** A serialised deploy of a chaincode without code. */
export const deployOf = (name: string, txid = name): Uint8Array => {
  const payload = encode(ChaincodeDeploymentSpec, ChaincodeDeploymentSpec.fromPartial({ chaincodeSpec: { chaincodeID: { name } } }))
  return encode(Transaction, Transaction.fromPartial({ type: Transaction_Type.CHAINCODE_DEPLOY, txid, payload }))
}

/** A serialised invocation that has nothing but its id. */
export const transactionOf = (txid: string): Uint8Array => encode(Transaction, Transaction.fromPartial({ type: Transaction_Type.CHAINCODE_INVOKE, txid }))
