import { pause } from '../support/program.js'
import type { ChainFollower } from '../support/load.js'
import type { ChaosNetwork } from './network.js'

const PACE_MS = 5
const RETRY_MS = 100
/** More than a block holds. */
const BLOCK = 1_000_000n

/** Submits one transaction after the other at a door, in a known order. */
export class OrderedDoor {
  readonly #txids: string[] = []
  #isOver = false
  readonly #done: Promise<void>

  constructor(network: ChaosNetwork, door: number) {
    this.#done = this.#run(network, door)
  }

  /** What was accepted, in order. */
  async stop(): Promise<readonly string[]> {
    this.#isOver = true
    await this.#done
    return this.#txids
  }

  async #run(network: ChaosNetwork, door: number): Promise<void> {
    while (!this.#isOver) {
      try {
        this.#txids.push(await network.peer(door).client.invoke('example02', 'invoke', 'a', 'b', '1'))
      } catch {
        await pause(RETRY_MS) // it was killed, stopped or cut off: that is what the test is about
      }
      await pause(PACE_MS)
    }
  }
}

/** How many are in the chain before one that was accepted earlier. */
export function reordered(txids: readonly string[], { positions }: ChainFollower): number {
  let last = -1n
  let count = 0
  for (const txid of txids) {
    const place = positions.get(txid)
    if (!place) throw new Error(`${txid} was accepted, and is in no block`)
    const at = place.block * BLOCK + BigInt(place.index)
    if (at < last) count++
    else last = at
  }
  return count
}

/** The longest time in which no validator had a new block. */
export class LongestGap {
  #longestMs = 0
  #height = -1n
  #sinceMs = performance.now()
  #isOver = false
  readonly #done: Promise<unknown>

  constructor(network: ChaosNetwork) {
    this.#done = Promise.all([...network.peers.keys()].map((index) => this.#watch(network, index)))
  }

  async stop(): Promise<number> {
    this.#isOver = true
    await this.#done
    return Math.round(this.#longestMs)
  }

  async #watch(network: ChaosNetwork, index: number): Promise<void> {
    while (!this.#isOver) {
      try {
        const { height } = await network.peer(index).client.info()
        if (height > this.#height) this.#grown(height)
      } catch {
        await pause(RETRY_MS) // it is down
      }
      await pause(PACE_MS)
    }
  }

  #grown(height: bigint): void {
    const now = performance.now()
    if (this.#height >= 0n) this.#longestMs = Math.max(this.#longestMs, now - this.#sinceMs)
    this.#height = height
    this.#sinceMs = now
  }
}
