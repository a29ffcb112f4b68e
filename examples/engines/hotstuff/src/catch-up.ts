import { createMemberBudget, createSoftTimers, type EngineHost, type MemberIndex } from 'weft/consensus'
import { type Block, compare, quorumsOf, type Reference } from './block.js'
import type { Execution } from './execution.js'
import { encode, type KnownHead, type Message } from './messages.js'
import type { Tree } from './tree.js'

/** Bytes of requests in an answer, at most. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024
/** Heads that one member may tell of. */
const MAX_HEADS = 64
/** A block that nobody gives for so many rounds is not waited for. */
const MAX_ROUNDS = 30

const nameOf = ({ height, hash }: KnownHead): string => `${height} ${Buffer.from(hash).toString('hex')}`

/** Gets blocks that are named and not here: from members, or, if they do not have them any more, with the state of a head that f + 1 of them vouch for. */
export class CatchUp {
  #wanted: Reference | undefined
  #round = 0
  readonly #heads = new Map<MemberIndex, readonly string[]>()
  readonly #answers
  readonly #timers

  constructor(
    private readonly host: EngineHost,
    private readonly tree: Tree,
    private readonly execution: Execution,
    private readonly everyMs: number,
  ) {
    this.#answers = createMemberBudget(host)
    this.#timers = createSoftTimers<'fetch'>(host)
  }

  /** What is missing now; undefined: nothing. `from` probably has it. False: nobody seems to have it. */
  want(missing: Reference | undefined, from: MemberIndex): boolean {
    if (missing?.id !== this.#wanted?.id) {
      this.#wanted = missing
      this.#round = 0
      this.#heads.clear()
      if (missing) this.#ask([from])
    }
    if (missing) this.#timers.softStart('fetch', this.everyMs)
    else this.#timers.stop('fetch')
    return this.#round <= MAX_ROUNDS
  }

  onTimer(): void {
    this.#timers.fired('fetch')
    this.#round += 1
    const others = this.host.members.map(({ index }) => index).filter((index) => index !== this.host.self)
    const turn = others.map((_, place) => others[(place + this.#round) % others.length] ?? 0)
    this.#ask(turn.slice(0, quorumsOf(this.host.members.length).faulty + 1))
  }

  /** Blocks that are wanted, whatever else comes with them: ids are hashes, so what a certificate leads to is right whoever gives it. */
  takeWanted(blocks: readonly Block[]): Block[] {
    let wanted = this.#wanted
    const taken: Block[] = []
    for (const block of blocks) {
      if (block.id !== wanted?.id || compare(wanted, this.tree.decided) <= 0) break
      taken.push(block)
      wanted = block.parent
    }
    return taken
  }

  /** Gives the blocks, or else says where the own ledger stands. */
  onFetch(from: MemberIndex, { id, above }: Message & { type: 'fetch' }): void {
    const blocks: Block[] = []
    let bytes = 0
    let at = this.tree.get(id)
    for (; at && compare(at, above) > 0 && bytes <= MAX_ANSWER_BYTES; at = this.tree.get(at.parent.id)) {
      blocks.push(at)
      bytes += at.requests.reduce((size, request) => size + request.bytes.length, 0)
    }
    const oldest = blocks.at(-1)
    const isUseful = oldest !== undefined && (at !== undefined || compare(oldest.parent, above) <= 0)
    // Who asks for more than anybody needs, or for very many small pieces, is to ask another member.
    if (!this.#answers.take(from, Math.max(bytes, MAX_ANSWER_BYTES / 50))) return
    this.host.send(from, encode(isUseful ? { type: 'blocks', blocks } : { type: 'heads', heads: this.execution.heads }))
  }

  /** Transfers to the highest head that f + 1 members know, if it is ahead and blocks are missing. */
  onHeads(from: MemberIndex, heads: readonly KnownHead[]): void {
    if (!this.#wanted || this.execution.isTransferring) return
    this.#heads.set(from, heads.slice(-MAX_HEADS).map(nameOf))
    const ahead = heads.filter(({ height }) => height > this.host.head.height).sort((left, right) => Number(right.height - left.height))
    for (const head of ahead) {
      const members = [...this.#heads].filter(([, known]) => known.includes(nameOf(head))).map(([member]) => member)
      if (members.length <= quorumsOf(this.host.members.length).faulty) continue
      this.host.log('info', `transferring the state of height ${head.height}: members ${members.join(', ')} have it, and blocks that led to it are gone`)
      return this.execution.transferTo(head, members)
    }
  }

  #ask(members: readonly MemberIndex[]): void {
    if (!this.#wanted) return
    const message = encode({ type: 'fetch', id: this.#wanted.id, above: this.tree.decided })
    for (const member of members) if (member !== this.host.self) this.host.send(member, message)
  }
}
