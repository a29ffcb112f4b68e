import { setTimeout as sleep } from 'node:timers/promises'
import type { PeerPlan } from '../../devnet/index.js'
import { InvokeConnection } from '../unary-client.js'

const EVERY_MS = 40

/** A client of one door that sends one transaction after the other, each when the one before was accepted: it knows in which order they have to be in the chain. */
export class Witness {
  /** In the order of their acceptance. */
  readonly accepted: string[] = []
  private readonly connection: InvokeConnection
  private isOver = false
  private readonly working: Promise<void>

  constructor(
    readonly peer: PeerPlan,
    request: Uint8Array,
  ) {
    this.connection = new InvokeConnection(peer.address, request)
    this.working = this.work()
  }

  async stop(): Promise<void> {
    this.isOver = true
    await this.working
    this.connection.close()
  }

  private async work(): Promise<void> {
    while (!this.isOver) {
      const answer = await this.connection.invoke(false)
      if (answer.kind === 'accepted') this.accepted.push(answer.txid)
      await sleep(EVERY_MS)
    }
  }
}

/** How often one of these transactions is in the chain before one that was accepted earlier. `places`: the place of each in the chain. */
export function reordered(accepted: readonly string[], places: ReadonlyMap<string, number>): number {
  let count = 0
  let last = -1
  for (const txid of accepted) {
    const place = places.get(txid) ?? -1
    if (place >= 0 && place < last) count++
    last = Math.max(last, place)
  }
  return count
}
