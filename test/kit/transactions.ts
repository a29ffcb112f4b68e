import { Buffer } from 'node:buffer'
import { ConfidentialityLevel, decode, encode, Transaction, Transaction_Type } from '../../proto/index.js'
import {
  BufferedState,
  callOf,
  callSuccession,
  CONSENSUS_NAME,
  type ConsensusHostOptions,
  type ContractRules,
  type EngineRequest,
  isToSuccession,
  Refusal,
  requestId,
  SUCCESSION_KEYS,
} from '../../plugins/consensus/index.js'
import type { ExecutedTransaction, LedgerBatch } from '../../plugins/ledger/index.js'
import { latin1 } from './latin1.js'
import { quickHash } from './quick-hash.js'

/** What the consensus host needs of chaincode. */
export type Executor = ConsensusHostOptions['chaincode']
type Ordered = Parameters<Executor['execute']>[1][number]

const CHAINCODE = Buffer.from('simulated')
const COUNT = Buffer.from('count')
const ORDER = Buffer.from('order')
const REFUSED = 'refused-'

/** Canonical bytes of an invocation for `createExecutor`. With `fails` its execution fails, on every validator alike. */
export function makeTransaction(name: string, options: { readonly fails?: boolean; readonly bytes?: number } = {}): Uint8Array {
  return encode(Transaction, {
    type: Transaction_Type.CHAINCODE_INVOKE,
    chaincodeID: CHAINCODE,
    payload: Buffer.alloc(options.bytes ?? 16, name),
    metadata: new Uint8Array(),
    txid: options.fails ? `${REFUSED}${name}` : name,
    timestamp: { seconds: 1n, nanos: 0 },
    confidentialityLevel: ConfidentialityLevel.PUBLIC,
    confidentialityProtocolVersion: '',
    nonce: new Uint8Array(),
    toValidators: new Uint8Array(),
    cert: new Uint8Array(),
    signature: new Uint8Array(),
  })
}

/** The request that `makeTransaction`'s bytes are, as engines get it. */
export function makeRequest(name: string): EngineRequest {
  const bytes = makeTransaction(name)
  return { id: requestId(bytes), bytes }
}

/** The txid of `makeTransaction`'s bytes. */
export function txidOf(transactionBytes: Uint8Array): string {
  return decode(Transaction, transactionBytes).txid
}

/** Whether `makeTransaction` made it to fail. */
export function isBoundToFail(txid: string): boolean {
  return txid.startsWith(REFUSED)
}

/**
 * Executes transactions without chaincode, those to the succession of engines by its rules: each of the others writes its txid, a counter and a hash over everything before it, so that the state hash
 * depends on the order of all transactions ever executed.
 */
export function createExecutor(rules?: ContractRules): Executor {
  return {
    async execute(batch, transactions) {
      const executed: ExecutedTransaction[] = []
      for (const ordered of transactions) {
        if (rules && isToSuccession(ordered.transaction)) executed.push(await executeCall(rules, batch, ordered))
        else executed.push(executeOne(batch, ordered))
      }
      return executed
    },
  }
}

/** A call of the succession, as the system chaincode of a peer executes it. */
async function executeCall(rules: ContractRules, batch: LedgerBatch, { bytes, transaction }: Ordered): Promise<ExecutedTransaction> {
  const { txid } = transaction
  const state = batch.begin(txid)
  const name = Buffer.from(CONSENSUS_NAME)
  const buffered = new BufferedState()
  for (const key of SUCCESSION_KEYS) buffered.read(key, state.get(name, Buffer.from(key)))
  const { call, args } = callOf(transaction) ?? { call: '', args: [] }
  try {
    await callSuccession(rules, buffered, call, args)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    state.finish(false)
    return { bytes, result: { txid, error: error.message } }
  }
  for (const [key, value] of buffered.changes) {
    if (value === undefined) state.delete(name, Buffer.from(key))
    else state.put(name, Buffer.from(key), value)
  }
  state.finish(true)
  return { bytes, result: { txid } }
}

function executeOne(batch: LedgerBatch, { bytes, transaction: { txid } }: Ordered): ExecutedTransaction {
  const state = batch.begin(txid)
  if (isBoundToFail(txid)) {
    state.put(CHAINCODE, COUNT, Buffer.from('dropped'))
    state.finish(false)
    return { bytes, result: { txid, error: 'refused by the simulated chaincode' } }
  }
  const before = state.get(CHAINCODE, COUNT)
  const count = Buffer.from(String(Number(before ? latin1(before) : 0) + 1))
  const order = quickHash(state.get(CHAINCODE, ORDER) ?? '', Buffer.from(txid))
  state.put(CHAINCODE, Buffer.from(`transaction ${txid}`), count)
  state.put(CHAINCODE, COUNT, count)
  state.put(CHAINCODE, ORDER, order)
  state.finish(true)
  return { bytes, result: { txid } }
}
