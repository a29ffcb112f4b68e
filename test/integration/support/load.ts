import { Transaction_Type, ChaincodeInvocationSpec, decode } from '../../../proto/index.js'
import { blockHash } from '../../../plugins/ledger/index.js'
import { Block, encode } from '../../../proto/index.js'
import type { Outcome, TestClient } from './client.js'
import { pause } from './program.js'

const OPENING_BALANCE = 1_000_000
const ACCOUNTS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const

/** What clients were told while a peer lived. */
export interface Promises {
  /** Transactions that the peer said it accepted. */
  readonly accepted: Set<string>
  /** Transactions that the peer said are in a block, and where. */
  readonly committed: Map<string, Outcome>
  /** Calls that had no answer: anything may have become of them, but only once. */
  unanswered: number
}

/** Transfers between accounts of example02 from several clients at once, until `stop`, each as fast as it is answered but for `pauseMs`. Half of the clients wait for outcomes. */
export class Load {
  readonly promises: Promises = { accepted: new Set(), committed: new Map(), unanswered: 0 }
  #isOver = false
  readonly #workers: Promise<void>[]

  constructor(
    private readonly client: TestClient,
    private readonly random: () => number,
    clients = 32,
    private readonly retryMs = 5,
    private readonly pauseMs = 0,
  ) {
    this.#workers = Array.from({ length: clients }, (_, index) => this.#work(index % 2 === 0))
  }

  /** The peer is dead, so every call that is open ends. */
  async stop(): Promise<Promises> {
    this.#isOver = true
    await Promise.all(this.#workers)
    return this.promises
  }

  async #work(waits: boolean): Promise<void> {
    while (!this.#isOver) {
      const from = Math.floor(this.random() * ACCOUNTS.length)
      const to = (from + 1 + Math.floor(this.random() * (ACCOUNTS.length - 1))) % ACCOUNTS.length
      const args = ['invoke', ACCOUNTS[from] ?? '', ACCOUNTS[to] ?? '', '1']
      try {
        if (waits) {
          const { txid, outcome } = await this.client.invokeAndWait('example02', ...args)
          this.promises.accepted.add(txid)
          this.promises.committed.set(txid, outcome)
        } else {
          this.promises.accepted.add(await this.client.invoke('example02', ...args))
        }
      } catch {
        this.promises.unanswered++ // the peer was killed, or the answer lost with the connection: that is what the test is about
        await pause(this.retryMs)
      }
      if (this.pauseMs > 0) await pause(this.pauseMs)
    }
  }
}

/** Follows a chain of transfers block by block: every txid once, every hash linked, balances as the transfers say. */
export class ChainFollower {
  readonly positions = new Map<string, { readonly block: bigint; readonly index: number }>()
  readonly twice: string[] = []
  readonly #balances = new Map<string, number>(ACCOUNTS.map((name) => [name, OPENING_BALANCE]))
  #next = 0n
  #previousHash: Uint8Array = new Uint8Array(0)

  /** Reads the blocks that are new. Throws if the chain is broken. */
  async follow(client: TestClient): Promise<void> {
    const { height, currentBlockHash } = await client.info()
    if (height < this.#next) throw new Error(`the chain has ${height} blocks, it had ${this.#next}`)
    for (; this.#next < height; this.#next++) this.#take(await client.block(this.#next))
    if (!Buffer.from(currentBlockHash).equals(this.#previousHash)) throw new Error(`the head's hash is not that of block ${height - 1n}`)
  }

  /** Accounts whose balance at the peer is not what its blocks say. Follows them first: what nobody was told of may still be coming in. */
  async wrongBalances(client: TestClient): Promise<string[]> {
    await this.follow(client)
    const found = await Promise.all(ACCOUNTS.map(async (name) => [name, Number(await client.query('example02', 'query', name))] as const))
    if ((await client.info()).height !== this.#next) return this.wrongBalances(client)
    return found
      .filter(([name, balance]) => balance !== this.#balances.get(name))
      .map(([name, balance]) => `${name}: ${balance} instead of ${this.#balances.get(name)}`)
  }

  #take(block: Block): void {
    if (!Buffer.from(block.previousBlockHash).equals(this.#previousHash)) throw new Error(`block ${this.#next} does not follow the block before it`)
    this.#previousHash = blockHash(encode(Block, block))
    for (const [index, { txid, type, payload }] of block.transactions.entries()) {
      if (this.positions.has(txid)) this.twice.push(txid)
      this.positions.set(txid, { block: this.#next, index })
      if (type === Transaction_Type.CHAINCODE_INVOKE) this.#move(payload)
    }
  }

  #move(payload: Uint8Array): void {
    const args = decode(ChaincodeInvocationSpec, payload).chaincodeSpec?.ctorMsg?.args ?? []
    const [, from = '', to = ''] = args.map((arg) => Buffer.from(arg).toString())
    this.#balances.set(from, (this.#balances.get(from) ?? OPENING_BALANCE) - 1)
    this.#balances.set(to, (this.#balances.get(to) ?? OPENING_BALANCE) + 1)
  }
}

/** A repeatable source of numbers from 0 to 1. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
