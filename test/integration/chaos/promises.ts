import type { TestClient } from '../support/client.js'
import { ChainFollower, type Promises } from '../support/load.js'
import { until } from '../support/peer.js'

/** Validators whose chains are looked at. */
export interface Doors {
  peer(index: number): { readonly client: TestClient }
  /** Waits until all have one head. */
  inStep(limitMs: number): Promise<void>
}

/** What clients were told at each door, against what the chains hold. */
export class Promised {
  readonly #accepted: Set<string>[]
  readonly #committed = new Set<string>()
  readonly #chain = new ChainFollower()
  unanswered = 0

  constructor(doors: number) {
    this.#accepted = Array.from({ length: doors }, () => new Set<string>())
  }

  get count(): number {
    return this.#committed.size + this.#accepted.reduce((sum, { size }) => sum + size, 0)
  }

  add(door: number, { accepted, committed, unanswered }: Promises): void {
    for (const txid of accepted) if (!committed.has(txid)) this.#accepted[door]?.add(txid)
    for (const [txid, { status }] of committed) if (status === 'committed') this.#committed.add(txid)
    this.unanswered += unanswered
  }

  /** A door lost its disk: of what it had accepted only that counts which was said to be in a block. */
  forget(door: number): void {
    this.#accepted[door]?.clear()
  }

  /** What was accepted gets into the chain, which is read at one member from where the last reading ended; then all have the same. */
  async settle(network: Doors, reader: number, limitMs: number): Promise<void> {
    const { client } = network.peer(reader)
    let trouble: unknown
    const isOver = async (): Promise<boolean> => {
      try {
        await this.#chain.follow(client)
      } catch (error) {
        trouble = error // while blocks are being transferred, newest first, there is a hole below the head
        return false
      }
      return this.#missing(this.#chain) === undefined
    }
    await until('everything accepted is in a block', isOver, limitMs).catch(() => {
      throw new Error(`${this.#missing(this.#chain) ?? 'nothing is missing in'} the chain of vp${reader}, ${limitMs} ms after the last fault`, {
        cause: trouble,
      })
    })
    await network.inStep(limitMs)
    await this.#check(this.#chain, client, reader)
  }

  /** Reads these members' chains from their beginning. */
  async checkWhole(network: Doors, members: readonly number[]): Promise<void> {
    for (const index of members) {
      const { client } = network.peer(index)
      const chain = new ChainFollower()
      await chain.follow(client)
      await this.#check(chain, client, index)
    }
  }

  async #check(chain: ChainFollower, client: TestClient, index: number): Promise<void> {
    const missing = this.#missing(chain)
    if (missing !== undefined) throw new Error(`${missing} the chain of vp${index}`)
    const [twice] = chain.twice
    if (twice !== undefined) throw new Error(`expected every transaction once in the chain of vp${index}; found ${twice} twice`)
    const wrong = await chain.wrongBalances(client)
    if (wrong.length > 0) throw new Error(`the balances of vp${index} are not what its blocks say: ${wrong.join(', ')}`)
  }

  #missing({ positions }: ChainFollower): string | undefined {
    const lost = [...this.#committed].find((txid) => !positions.has(txid))
    if (lost !== undefined) return `a client was told that ${lost} is committed, and it is not in`
    for (const [door, accepted] of this.#accepted.entries()) {
      const gone = [...accepted].find((txid) => !positions.has(txid))
      if (gone !== undefined) return `vp${door} accepted ${gone}, and it is not in`
    }
    return undefined
  }
}
