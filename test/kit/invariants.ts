import { blockTransactions, decode, Transaction } from '../../proto/index.js'
import { type EngineFactory, isToSuccession, type MemberIndex, type RequestOutcomeReport } from '../../plugins/consensus/index.js'
import { blockHash, type Ledger } from '../../plugins/ledger/index.js'
import { DoorOrder } from './door-order.js'
import type { FailureKind, Violation } from './failures.js'
import type { Links } from './links.js'
import { fromLatin1, latin1 } from './latin1.js'
import { SuccessionModel, type SwapCounts } from './succession-model.js'
import { isBoundToFail, txidOf } from './transactions.js'

/** Bytes as a key, in latin1. */
type Content = string

/** What is known of one member's chain; outlives its restarts. */
interface KnownChain {
  /** Hashes in latin1. */
  readonly hashes: string[]
  readonly heightOf: Map<Content, number>
}

/** A block that need not be read to be known: its hash, the transactions in it and the block before, in latin1 and as objects. */
export interface KnownBlock {
  readonly number: bigint
  readonly name: string
  readonly transactions: readonly { readonly content: Content }[]
  readonly previous: KnownBlock | undefined
}

/** What the checks have to know of a run. */
export interface InvariantsOptions {
  readonly members: number
  /** Whether members have to make the same blocks. */
  readonly agreement: boolean
  /** Members of which nothing is expected. */
  readonly byzantine?: readonly MemberIndex[]
  /** The engine of epoch 0. None: the succession of engines is not checked. */
  readonly first?: EngineFactory
}

/**
 * What must hold of the honest members in every run, checked as it goes: one block per height (for engines with agreement), blocks hold what was
 * submitted and nothing twice, nothing announced is lost by a crash, everything reported as committed is where it was said to be, no member votes
 * twice for different values, also not after a restart, and what one door was given one after the other is in the chain in that order (`DoorOrder`).
 */
export class Invariants {
  readonly violations: Violation[] = []
  /** Grows with everything that was accepted, reported or committed. */
  changes = 0
  readonly #agreed: string[] = []
  /** What is in the agreed blocks, of those that were read. */
  readonly #contents: (readonly Content[])[] = []
  readonly #chains: KnownChain[]
  readonly #votes: Map<string, string>[]
  readonly #reports = new Map<MemberIndex, Map<Content, RequestOutcomeReport>>()
  readonly #submitted = new Set<Content>()
  readonly #accepted = new Map<Content, { readonly member: MemberIndex; readonly txid: string }>()
  readonly #byzantine: ReadonlySet<MemberIndex>
  /** Told what disturbs the order at a door. Undefined: nothing is expected of it, since the chains differ, or somebody lies and may say again what others said. */
  readonly order: DoorOrder | undefined

  /** Reads the chain that all honest members have. */
  readonly #model: SuccessionModel | undefined

  constructor(private readonly options: InvariantsOptions) {
    const { first, agreement, members } = options
    this.#model = first && agreement ? new SuccessionModel(members, first) : undefined
    this.#byzantine = new Set(options.byzantine)
    this.order = agreement && this.#byzantine.size === 0 ? new DoorOrder(members, (violation) => this.violations.push(violation)) : undefined
    this.#chains = Array.from({ length: options.members }, () => ({ hashes: [], heightOf: new Map<Content, number>() }))
    this.#votes = Array.from({ length: options.members }, () => new Map<string, string>())
  }

  isHonest(member: MemberIndex): boolean {
    return !this.#byzantine.has(member)
  }

  /** Tells what the links do to the order at a door. */
  watch(links: Links): void {
    const { order } = this
    if (!order) return
    const shaken = (a: MemberIndex, b: MemberIndex): void => {
      order.shaken(a)
      order.shaken(b)
    }
    const unfaithful = (): void => order.release()
    links.onChange = shaken
    links.onUnfaithful = unfaithful
  }

  /** A client sends a transaction to a member. Without `door` it is not known to which: then nothing is expected of its place. */
  submitted(transaction: Uint8Array, door?: MemberIndex): void {
    const content = latin1(transaction)
    this.#submitted.add(content)
    if (door !== undefined) this.order?.given(door, content)
  }

  /** What clients have asked for so far. */
  requests(): Uint8Array[] {
    return [...this.#submitted].map(fromLatin1)
  }

  /** A client was told that its transaction is accepted. */
  accepted(member: MemberIndex, transaction: Uint8Array, txid = txidOf(transaction)): void {
    this.changes += 1
    if (!this.isHonest(member)) return
    const content = latin1(transaction)
    this.#accepted.set(content, { member, txid })
    this.order?.accepted(member, content, txid)
  }

  /** A client was told how its transaction ended. */
  reported(member: MemberIndex, transaction: Uint8Array, report: RequestOutcomeReport): void {
    this.changes += 1
    if (!this.isHonest(member)) return
    const content = latin1(transaction)
    const txid = this.#txidOf(content)
    if (report.status !== 'committed' && !isBoundToFail(txid))
      this.fail('safety', `vp${member} told its client that ${txid} was ${report.status}: ${report.error}`)
    const reports = this.#reports.get(member) ?? new Map<Content, RequestOutcomeReport>()
    this.#reports.set(member, reports.set(content, report))
    if (report.status !== 'committed') return
    const height = this.#chains[member]?.heightOf.get(content)
    if (height === undefined || BigInt(height) !== report.block)
      this.fail('safety', `vp${member} reported ${txid} as committed in block ${report.block}, but announced it in block ${height}`)
  }

  /** A member announced a block, `hash` as it says: from now on it must never be without it. */
  block(member: MemberIndex, number: bigint, bytes: Uint8Array, hash: Uint8Array = blockHash(bytes)): void {
    const height = Number(number)
    const isFirst = this.#agreed[height] === undefined
    const name = latin1(hash)
    const chain = this.#chained(member, height, name)
    if (chain === undefined) return
    if (isFirst) for (const statement of this.#model?.read(number, bytes) ?? []) this.fail('safety', `vp${member}: ${statement}`)
    const epoch = isFirst ? (this.#model?.epochOf(number) ?? 0n) : undefined
    for (const content of this.#contentOf(height, name, bytes)) this.#transaction(member, chain, content, height, epoch)
  }

  /** The transactions of a block. One that has the hash of the agreed one is not read again here: whether that is its hash is found out when the whole ledger is. */
  #contentOf(height: number, name: string, bytes: Uint8Array): readonly Content[] {
    const isAgreed = this.#agreed[height] === name
    const content = (isAgreed ? this.#contents[height] : undefined) ?? blockTransactions(bytes).map(latin1)
    if (isAgreed) this.#contents[height] = content
    return content
  }

  /** The same of a block that is known without reading it. */
  announcedBlock(member: MemberIndex, { number, name, transactions }: KnownBlock): void {
    const height = Number(number)
    const epoch = this.#agreed[height] === undefined ? 0n : undefined
    const chain = this.#chained(member, height, name)
    if (chain) for (const { content } of transactions) this.#transaction(member, chain, content, height, epoch)
  }

  /** Takes the next block of a member; undefined if nothing is to be checked of it. */
  #chained(member: MemberIndex, height: number, own: string): KnownChain | undefined {
    this.changes += 1
    const chain = this.#chains[member]
    if (chain === undefined || !this.isHonest(member)) return undefined
    if (height !== chain.hashes.length) {
      this.fail('safety', `vp${member} announced block ${height} where block ${chain.hashes.length} was expected`)
      return undefined
    }
    const agreed = this.#agreed[height]
    if (agreed === undefined) this.#agreed[height] = own
    else if (this.options.agreement && agreed !== own)
      this.fail('safety', `vp${member} has another block ${height} than the first member that had one: ${toHex(own)} instead of ${toHex(agreed)}`)
    chain.hashes.push(own)
    this.order?.grew(member, chain.hashes.length)
    return chain
  }

  /** A member opened its ledger after a restart: on a block boundary, with everything that it ever announced. */
  opened(member: MemberIndex, ledger: Ledger): void {
    if (!this.isHonest(member)) return
    const known = this.#chains[member]?.hashes ?? []
    const height = Number(ledger.height())
    if (height < known.length) this.fail('safety', `vp${member} lost blocks ${height} to ${known.length - 1}, which it had announced`)
    for (let number = Math.max(0, known.length - 2); number < Math.min(height, known.length); number += 1) this.#checkBlock(member, ledger, number)
    for (let number = known.length; number < height; number += 1) {
      const bytes = ledger.blockBytes(BigInt(number))
      if (bytes === undefined) this.fail('safety', `vp${member} has height ${height} and no block ${number}`)
      else this.block(member, BigInt(number), bytes)
    }
    const head = height === 0 ? undefined : ledger.block(BigInt(height - 1))
    if (head && latin1(head.stateHash) !== latin1(ledger.stateHash() ?? new Uint8Array()))
      this.fail('safety', `vp${member} opened with a state that is not that of block ${height - 1}`)
  }

  /** The same of a chain whose blocks are known without reading them. */
  openedChain(member: MemberIndex, chain: readonly KnownBlock[]): void {
    if (!this.isHonest(member)) return
    const known = this.#chains[member]?.hashes.length ?? 0
    if (chain.length < known) this.fail('safety', `vp${member} lost blocks ${chain.length} to ${known - 1}, which it had announced`)
    this.#checkChain(member, chain, Math.max(0, known - 2), Math.min(chain.length, known))
    for (const block of chain.slice(known)) this.announcedBlock(member, block)
  }

  /** An engine was told that what it delivered is a block: it must be one of its own epoch. */
  delivered(member: MemberIndex, epoch: bigint, number: bigint): void {
    const expected = this.#model?.epochOf(number) ?? epoch
    this.order?.delivered(member, number)
    if (this.isHonest(member) && expected !== epoch)
      this.fail('safety', `vp${member} took block ${number} of epoch ${expected} from the engine of epoch ${epoch}`)
  }

  /** What a member's world state says of the succession after a block (`stateOf`). */
  succession(member: MemberIndex, number: bigint, state: string): void {
    const expected = this.#model?.stateAfter(number) ?? state
    if (this.isHonest(member) && state !== expected) this.fail('safety', `vp${member} has after block ${number}: ${state}; expected: ${expected}`)
  }

  /** What became of swaps in the chain. */
  get swaps(): SwapCounts {
    return this.#model?.counts ?? { prepared: 0, happened: 0, cancelled: 0 }
  }

  /** A vote left a member. */
  vote(member: MemberIndex, slot: string, value: string): void {
    const votes = this.#votes[member]
    const before = votes?.get(slot)
    if (before === value) return
    if (before !== undefined && this.isHonest(member)) this.fail('safety', `vp${member} voted twice in slot '${slot}': for ${before} and for ${value}`)
    votes?.set(slot, value)
  }

  /**
   * Txids of transactions, accepted by one of `owners` (default: anybody), that are not in the chain of each of these members. Of those whose execution fails
   * nothing can be said.
   */
  missing(members: readonly MemberIndex[], owners?: readonly MemberIndex[]): string[] {
    const isMissing = (content: Content): boolean => members.some((member) => !this.#chains[member]?.heightOf.has(content))
    return this.#unrejected((content, owner) => owners?.includes(owner) !== false && isMissing(content))
  }

  /** Txids of accepted transactions that the member who accepted them has not committed. */
  unfinished(): string[] {
    return this.#unrejected((content, member) => this.#chains[member]?.heightOf.has(content) !== true)
  }

  get acceptedCount(): number {
    return this.#accepted.size
  }

  /** Blocks that a member has announced. */
  heightOf(member: MemberIndex): number {
    return this.#chains[member]?.hashes.length ?? 0
  }

  /** Reads a member's whole ledger again, and hashes it anew. */
  async final(member: MemberIndex, ledger: Ledger): Promise<void> {
    this.order?.end()
    if (!this.isHonest(member)) return
    const known = this.#chains[member]?.hashes ?? []
    if (Number(ledger.height()) !== known.length) this.fail('safety', `vp${member} has height ${ledger.height()} but announced ${known.length} blocks`)
    known.forEach((_, number) => this.#checkBlock(member, ledger, number))
    for (const [content, report] of this.#reports.get(member) ?? []) this.#checkReport(member, ledger, content, report)
    for (const { where, what } of (await ledger.verify()).faults) this.fail('safety', `vp${member} does not verify: ${where}: ${what}`)
  }

  /** Compares a member's whole chain with what it announced and reported. */
  finalChain(member: MemberIndex, chain: readonly KnownBlock[]): void {
    this.order?.end()
    if (!this.isHonest(member)) return
    const known = this.#chains[member]?.hashes ?? []
    if (chain.length !== known.length) this.fail('safety', `vp${member} has height ${chain.length} but announced ${known.length} blocks`)
    this.#checkChain(member, chain, 0, known.length)
    for (const [content, { status, ...place }] of this.#reports.get(member) ?? []) {
      if (status !== 'committed' || this.#byzantine.size > 0) continue
      const { block, index } = 'index' in place ? place : { block: -1n, index: -1 }
      if (chain[Number(block)]?.transactions[index]?.content !== content)
        this.fail('safety', `vp${member} reported ${this.#txidOf(content)} as committed at ${block}/${index} and has another one there`)
    }
  }

  #checkChain(member: MemberIndex, chain: readonly KnownBlock[], from: number, to: number): void {
    for (let number = from; number < to; number += 1) {
      const block = chain[number]
      if (block?.name !== this.#chains[member]?.hashes[number]) this.fail('safety', `vp${member} has another block ${number} than it announced`)
      if (block?.previous !== chain[number - 1]) this.fail('safety', `vp${member} does not verify: block ${number} does not follow the one before`)
    }
  }

  fail(kind: FailureKind, statement: string): void {
    this.violations.push({ kind, statement })
  }

  #txidOf(content: Content): string {
    return this.#accepted.get(content)?.txid ?? txidOf(fromLatin1(content))
  }

  #unrejected(isWanted: (content: Content, member: MemberIndex) => boolean): string[] {
    const found: string[] = []
    for (const [content, { member, txid }] of this.#accepted) if (isWanted(content, member) && !isBoundToFail(txid)) found.push(txid)
    return found
  }

  /** `epoch`: of the block, if this member is the first that has it. */
  #transaction(member: MemberIndex, chain: KnownChain, content: Content, height: number, epoch: bigint | undefined): void {
    const before = chain.heightOf.get(content)
    if (before !== undefined) this.fail('safety', `vp${member} has transaction ${txidOf(fromLatin1(content))} in block ${height} and in block ${before}`)
    chain.heightOf.set(content, height)
    if (epoch !== undefined) this.order?.committed(content, height, epoch)
    // Without signatures of clients nobody can tell what a Byzantine member's clients asked for.
    if (this.#byzantine.size === 0 && !this.#submitted.has(content) && !isCall(fromLatin1(content)))
      this.fail('safety', `vp${member} has a transaction in block ${height} that no client ever submitted: ${txidOf(fromLatin1(content))}`)
  }

  #checkReport(member: MemberIndex, ledger: Ledger, content: Content, report: RequestOutcomeReport): void {
    const txid = this.#txidOf(content)
    const location = ledger.locate(txid)
    // A Byzantine member may have had another transaction of this txid ordered.
    if (report.status !== 'committed' || this.#byzantine.size > 0) return
    if (location?.block !== report.block || location.index !== report.index)
      this.fail('safety', `vp${member} reported ${txid} as committed at ${report.block}/${report.index} and has it at ${location?.block}/${location?.index}`)
  }

  #checkBlock(member: MemberIndex, ledger: Ledger, number: number): void {
    const bytes = ledger.blockBytes(BigInt(number))
    const hash = bytes && latin1(blockHash(bytes))
    if (hash !== this.#chains[member]?.hashes[number]) this.fail('safety', `vp${member} has another block ${number} than it announced`)
  }
}

/** The hosts' own transactions about the succession of engines; no client submits them. */
function isCall(transaction: Uint8Array): boolean {
  return isToSuccession(decode(Transaction, transaction))
}

function toHex(content: Content): string {
  return Buffer.from(content, 'latin1').toString('hex', 0, 8)
}
