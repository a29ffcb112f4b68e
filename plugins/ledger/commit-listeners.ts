import type { CommittedBlock } from './ledger.js'

/** Who is told of committed blocks, in order of subscription. */
export class CommitListeners {
  private readonly listeners = new Set<(block: CommittedBlock) => void>()

  /** @param onError told what a listener threw; the others are told of the block nevertheless */
  constructor(private readonly onError: (thrown: unknown) => void) {}

  subscribe(listener: (block: CommittedBlock) => void): () => void {
    // Wrapped, so that the same function subscribed twice is called twice.
    const subscription = (block: CommittedBlock) => listener(block)
    this.listeners.add(subscription)
    return () => this.listeners.delete(subscription)
  }

  announce(block: CommittedBlock): CommittedBlock {
    for (const listener of this.listeners) {
      try {
        listener(block)
      } catch (thrown) {
        this.onError(thrown)
      }
    }
    return block
  }
}
