import { ChaincodeDeploymentSpec, Transaction, Transaction_Type, decode, orUndefined } from '../../proto/index.js'
import type { Namespace, Store, StoreBatch } from '../level/index.js'
import { decodeLocation, encodeLocation } from './encodings.js'
import { rowWith } from './group-batch.js'
import type { Height, TransactionLocation } from './ledger.js'

// How a canonical deploy begins: field 1, the type.
const TYPE_TAG = 0x08
const DEPLOY: number = Transaction_Type.CHAINCODE_DEPLOY

/**
 * Where the latest deploy of every chaincode is: `name` -> location. Apart from the index of txids, in which v0.6 looks it up and
 * whose rows belong to the latest transaction of an id: there any invoke with a chaincode's name as its txid would hide the deploy.
 */
export class DeployIndex {
  private readonly rows: Namespace

  constructor(store: Store) {
    this.rows = store.namespace('deploys')
  }

  locate(name: string, within?: StoreBatch): TransactionLocation | undefined {
    const row = rowWith(within, this.rows, Buffer.from(name))
    return row ? decodeLocation(row) : undefined
  }

  private isAfter(name: string, block: Height, within: StoreBatch): boolean {
    const location = this.locate(name, within)
    return location !== undefined && location.block > block
  }

  /** Puts the rows of a block's transactions, in canonical form; the latest of a name wins, also over an old block that is stored after newer ones. */
  write(batch: StoreBatch, block: Height, transactions: readonly Uint8Array[], isOld: boolean): void {
    for (const [index, bytes] of transactions.entries()) {
      const name = deployedName(bytes)
      if (name === undefined || (isOld && this.isAfter(name, block, batch))) continue
      batch.put(this.rows, Buffer.from(name), encodeLocation({ block, index }))
    }
  }
}

/** The chaincode that a canonical transaction deploys; `undefined` for any other transaction, and for a deploy that could never be launched. */
export function deployedName(bytes: Uint8Array): string | undefined {
  if (bytes[0] !== TYPE_TAG || bytes[1] !== DEPLOY) return undefined
  // Unreadable only in a block of original validators: here such a deploy fails, and what failed is in no block.
  const spec = orUndefined(() => decode(ChaincodeDeploymentSpec, decode(Transaction, bytes).payload).chaincodeSpec)
  const name = spec?.chaincodeID?.name
  return name === '' ? undefined : name
}
