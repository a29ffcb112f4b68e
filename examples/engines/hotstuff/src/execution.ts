import type { DeliveredBlock, EngineHost, EngineStart, RequestId } from 'weft/consensus'
import { type Block, Certificate, GENESIS, Reference } from './block.js'
import type { KnownHead } from './messages.js'
import type { Requests } from './requests.js'
import type { Tree } from './tree.js'

/** Own heads that others can be told of. */
const MAX_HEADS = 32
const PROOF = 'proof'

/** What the ledger's blocks say of their place, and the certificate that decided the last one: nobody else may have it. */
export const positionOf = (metadata: Uint8Array | undefined): Reference => Reference.decode(metadata) ?? GENESIS
export const proofOf = (restored: ReadonlyMap<string, Uint8Array>): Certificate => Certificate.decode(restored.get(PROOF)) ?? GENESIS

/** Has decided blocks executed, in order. Blocks without requests are passed over: they become no block of the ledger. */
export class Execution {
  #decided: Block[] = []
  /** Handed to the host, or passed over, in order. */
  #given: Block[] = []
  /** Those of them that the host owes an answer. */
  readonly #unanswered = new Set<string>()
  #proof = GENESIS
  readonly #inProgress = new Set<RequestId>()
  /** The last block that the ledger has. */
  position: Reference
  heads: readonly KnownHead[]
  isSealed = false
  isTransferring = false

  constructor(
    private readonly host: EngineHost,
    private readonly tree: Tree,
    private readonly requests: Requests,
    start: EngineStart,
  ) {
    this.position = tree.decided
    this.heads = [start.head]
  }

  /** Decided, and not in the ledger. */
  get backlog(): number {
    return this.#decided.length + this.#given.length
  }

  isOver(id: RequestId): boolean {
    return this.#inProgress.has(id) || this.requests.book.isExecuted(id)
  }

  /** The oldest first; `proof` is the certificate that shows it. */
  decide(blocks: readonly Block[], proof: Certificate): void {
    this.#proof = proof
    for (const block of blocks) {
      this.tree.decided = { view: block.view, seq: block.seq, id: block.id }
      this.#decided.push(block)
      for (const { id } of block.requests) {
        this.#inProgress.add(id)
        this.requests.book.remove(id)
      }
    }
    this.#advance()
  }

  /** Whether it became a block. */
  onDelivered(tag: string, block: DeliveredBlock | 'skipped'): boolean {
    const given = this.#given.find(({ id }) => id === tag)
    if (!this.#unanswered.delete(tag) || !given) return false
    if (block !== 'skipped') {
      this.requests.settle(given, block.rejected)
      this.#knowHead(block.head)
    }
    // What a transfer skips is not done: it is found again.
    if (block === 'skipped' && !this.isSealed) this.#given = this.#given.filter((other) => other !== given)
    this.#advance()
    return block !== 'skipped'
  }

  seal(): void {
    this.isSealed = true
    this.#advance()
  }

  transferTo(head: KnownHead, members: readonly number[]): void {
    this.isTransferring = true
    this.host.setValid(false)
    this.host.transferTo({ ...head, members })
  }

  /** What was decided and not executed is found again from the position that the ledger has now. */
  transferred(position: Reference): void {
    this.isTransferring = false
    this.host.setValid(true)
    this.#decided = []
    this.#given = []
    this.#unanswered.clear()
    this.#inProgress.clear()
    this.position = position
    this.#knowHead(this.host.head)
    this.tree.decided = position
    this.tree.prune(position)
  }

  #advance(): void {
    this.#finish()
    if (this.isTransferring) return
    for (let [next] = this.#decided; next; [next] = this.#decided) {
      const isDelivered = next.requests.length > 0 && !this.isSealed
      if (isDelivered && this.#unanswered.size >= this.host.deliveryWindow) break
      this.#decided.shift()
      this.#given.push(next)
      if (!isDelivered) continue
      this.#unanswered.add(next.id)
      const put = [[PROOF, Certificate.encode(this.#proof)]] as const
      this.host.deliver(next.id, next.requests, { metadata: Reference.encode(next), put })
    }
    this.#finish()
  }

  #finish(): void {
    for (let [first] = this.#given; first && !this.#unanswered.has(first.id); [first] = this.#given) {
      this.#given.shift()
      for (const { id } of first.requests) this.#inProgress.delete(id)
      this.position = { view: first.view, seq: first.seq, id: first.id }
      // After a restart the ledger's last block is all that is known to be decided, so what follows it stays.
      if (first.requests.length > 0) this.tree.delivered(first)
    }
  }

  #knowHead({ height, hash }: KnownHead): void {
    this.heads = [...this.heads, { height, hash }].slice(-MAX_HEADS)
  }
}
