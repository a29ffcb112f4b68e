import { PeerError } from '../../../kernel/index.js'
import {
  Block,
  type BlockQuery,
  ChaincodeEvent,
  type StateList,
  type StateListQuery,
  type StateQuery,
  type StateValue,
  type StoredBlock,
  type StoredTransaction,
  Timestamp,
  type TransactionQuery,
  decode,
  encode,
} from '../../../proto/index.js'
import { asBuffer, shortHex } from '../bytes.js'
import { blockHash } from '../chain.js'
import type { OpenLedger } from '../inspectable-ledger.js'
import type { Height, StateKey } from '../ledger.js'

/** Keys of one page, and their bytes with their values (one is always given). */
export const MAX_PAGE_KEYS = 1000
const MAX_PAGE_BYTES = 1024 * 1024

/** What `weft.LedgerTools` answers, and what the commands read in a store without a peer. */
export async function getBlock(ledger: OpenLedger, query: BlockQuery): Promise<StoredBlock> {
  if (query.hash.length > 0) {
    const found = ledger.blockOfHash(query.hash)
    if (!found) throw notFound(`no block has the hash ${shortHex(query.hash)}`)
    return { number: found.number, hash: query.hash, block: found.bytes }
  }
  const height = ledger.height()
  if (height === 0n) throw notFound('the chain has no blocks')
  const number = query.latest ? height - 1n : query.number
  if (number >= height) throw notFound(`expected a block below the height ${height}, found ${number}`)
  const block = ledger.blockBytes(number)
  if (!block) throw notFound(`block ${number} is missing: a state transfer has not brought it yet`)
  return { number, hash: blockHash(block), block }
}

export async function getTransaction(ledger: OpenLedger, { txid }: TransactionQuery): Promise<StoredTransaction> {
  const location = ledger.locate(txid)
  const transaction = location && ledger.transactionBytes(txid)
  const bytes = location && ledger.blockBytes(location.block)
  if (!location || !transaction || !bytes)
    throw notFound(`no block has a transaction ${JSON.stringify(txid)}`, 'one that failed is in no block; one that waits is not in one yet')
  const { nonHashData } = decode(Block, bytes)
  const committed = nonHashData?.localLedgerCommitTimestamp
  return {
    block: location.block,
    index: location.index,
    blockHash: blockHash(bytes),
    transaction,
    committed: committed ? encode(Timestamp, committed) : new Uint8Array(0),
    events: (nonHashData?.chaincodeEvents ?? []).filter(({ txID }) => txID === txid).map((event) => encode(ChaincodeEvent, event)),
  }
}

export async function getState(ledger: OpenLedger, { chaincode, key }: StateQuery): Promise<StateValue> {
  requireChaincode(chaincode)
  const view = ledger.stateView()
  try {
    const value = view.get(chaincode, key)
    return { found: value !== undefined, value: value ?? new Uint8Array(0), stateHeight: view.block + 1n }
  } finally {
    await view.release()
  }
}

/** One page: at most 1,000 keys and about 1 MiB. */
export async function listState(ledger: OpenLedger, { chaincode, from, to, limit }: StateListQuery): Promise<StateList> {
  requireChaincode(chaincode)
  const most = Math.min(limit === 0 ? MAX_PAGE_KEYS : limit, MAX_PAGE_KEYS)
  const view = ledger.stateView()
  const list: { entries: StateList['entries']; more: boolean; stateHeight: Height } = { entries: [], more: false, stateHeight: view.block + 1n }
  let bytes = 0
  try {
    for await (const { key, value } of view.list(chaincode, from, to)) {
      bytes += key.length + value.length
      if (list.entries.length >= most || (list.entries.length > 0 && bytes > MAX_PAGE_BYTES)) return { ...list, more: true }
      list.entries.push({ key, value })
    }
    return list
  } finally {
    await view.release()
  }
}

/** A name with a 00 byte would read into the keys of another chaincode (spec/ledger.md §6.1). */
function requireChaincode(chaincode: StateKey): void {
  if (chaincode.length > 0 && !chaincode.includes(0)) return
  throw new PeerError('ERR_LEDGER_INVALID_ARGUMENT', `expected the name of a chaincode, found ${JSON.stringify(asBuffer(chaincode).toString('latin1'))}`)
}

function notFound(what: string, hint?: string): PeerError {
  return new PeerError('ERR_LEDGER_NOT_FOUND', what, { grpcStatus: 5, ...(hint === undefined ? {} : { hint }) })
}
