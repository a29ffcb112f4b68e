import { Block, blockTransactions, decode } from '../../proto/index.js'
import { messageOf } from '../../kernel/index.js'
import type { StoreSnapshot } from '../level/index.js'
import { sameBytes, shortHex } from './bytes.js'
import { type Chain, blockHash, transactionIds } from './chain.js'
import { deployedName } from './deploy-index.js'
import type { Height, VerifyReport } from './ledger.js'
import { pauseEvery } from './pause.js'
import type { WorldStateStructure } from './world-state-structure.js'

/** Faults listed in a report. */
const MAX_FAULTS = 1000
const BLOCKS_BETWEEN_PAUSES = 16
const BLOCKS_BETWEEN_REPORTS = 256n

/** What is checked. The snapshot is released at the end. */
export interface VerifyInput {
  readonly chain: Chain
  readonly structure: WorldStateStructure
  readonly snapshot: StoreSnapshot
  readonly height: Height
  /** The block whose state the world state is. */
  readonly stateBlock: Height | undefined
}

/**
 * Re-hashes every block, its link to the one before and its index rows, and the whole world state, in bounded memory.
 * What `progress` throws ends it; during the state, `progress` is called with all blocks done.
 */
export async function verifyLedger(input: VerifyInput, progress?: (done: Height, total: Height) => void): Promise<VerifyReport> {
  const { chain, structure, snapshot, height } = input
  try {
    const blocks = new BlockCheck(chain)
    const pause = pauseEvery(BLOCKS_BETWEEN_PAUSES)
    for (let number = 0n; number < height; number += 1n) {
      blocks.check(number)
      if ((number + 1n) % BLOCKS_BETWEEN_REPORTS === 0n) progress?.(number + 1n, height)
      await pause()
    }
    const stateRows = pauseEvery(1)
    const state = await structure.check(snapshot, async () => {
      progress?.(height, height)
      await stateRows()
    })
    const faults = [...blocks.faults, ...state.faults, ...compareStateHash(input, state.hash)]
    progress?.(height, height)
    return { height, blocksChecked: blocks.checked, keysChecked: state.keysChecked, faults: faults.slice(0, MAX_FAULTS) }
  } finally {
    await snapshot.release()
  }
}

type Fault = VerifyReport['faults'][number]

function compareStateHash({ chain, stateBlock }: VerifyInput, found: Uint8Array | undefined): Fault[] {
  const bytes = stateBlock === undefined ? undefined : chain.stored(stateBlock)
  if (!bytes) return []
  const { stateHash } = decode(Block, bytes)
  const expected = stateHash.length === 0 ? undefined : stateHash
  if (sameBytes(expected, found)) return []
  return [{ where: 'world state', what: `block ${stateBlock} has the state hash ${shortHex(expected)}, the key-values give ${shortHex(found)}` }]
}

class BlockCheck {
  readonly faults: Fault[] = []
  checked: Height = 0n
  private previousHash: Uint8Array | undefined

  constructor(private readonly chain: Chain) {}

  check(number: Height): void {
    const bytes = this.chain.blockBytes(number)
    const { previousHash } = this
    this.previousHash = undefined
    if (!bytes) {
      this.fault(number, 'missing')
      return
    }
    try {
      this.checkBlock(number, bytes, previousHash)
      this.checked += 1n
    } catch (thrown) {
      this.fault(number, `cannot be read: ${messageOf(thrown)}`)
    }
  }

  private checkBlock(number: Height, bytes: Uint8Array, previousHash: Uint8Array | undefined): void {
    const block = decode(Block, bytes)
    const hash = blockHash(bytes)
    this.previousHash = hash
    if (previousHash && !sameBytes(previousHash, block.previousBlockHash)) {
      this.fault(number, `names ${shortHex(block.previousBlockHash)} as the hash of the block before, which has ${shortHex(previousHash)}`)
    }
    const indexed = this.chain.numberOf(hash)
    if (indexed !== number) this.fault(number, `its hash ${shortHex(hash)} is indexed as ${indexed === undefined ? 'no block' : `block ${indexed}`}`)
    const transactions = blockTransactions(bytes)
    for (const [index, { txid }] of block.transactions.entries()) this.checkTransaction(number, index, txid, transactions[index])
    for (const [index, transaction] of transactions.entries()) this.checkDeploy(number, index, deployedName(transaction))
  }

  /** As with txids, the index holds the latest deploy of a name. */
  private checkDeploy(number: Height, index: number, name: string | undefined): void {
    if (name === undefined) return
    const location = this.chain.locateDeploy(name)
    if (location?.block === number && location.index === index) return
    const found = this.chain.deployBytes(name)
    if (!location || location.block < number || !found || deployedName(found) !== name)
      this.fault(number, `the deploy of ${name} is not in the index of deploys`)
  }

  /** The index holds one transaction of an id that repeats: the latest, or, of blocks that a transfer brought, the last to arrive. */
  private checkTransaction(number: Height, index: number, txid: string, transaction: Uint8Array | undefined): void {
    const location = this.chain.locate(txid)
    if (location?.block === number && location.index === index) return
    if (!location) {
      this.fault(number, `transaction ${txid} is not in the index`)
      return
    }
    const bytes = this.chain.stored(location.block)
    if (!bytes || transactionIds(bytes)[location.index] !== txid) {
      this.fault(number, `transaction ${txid} is indexed at block ${location.block}, element ${location.index}, where it is not`)
    }
    if (transaction && this.chain.superseded.isComplete && !this.chain.locateBytes(txid, transaction))
      this.fault(number, `transaction ${txid}, element ${index}, is not in the index of those that a later one supersedes`)
  }

  private fault(number: Height, what: string): void {
    if (this.faults.length < MAX_FAULTS) this.faults.push({ where: `block ${number}`, what })
  }
}
