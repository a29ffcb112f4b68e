import { Block, decode } from '../../proto/index.js'
import type { MemberIndex, RequestOutcomeReport } from '../../plugins/consensus/index.js'
import { blockHash, type Ledger } from '../../plugins/ledger/index.js'
import { isBoundToFail } from './transactions.js'

/** What is known of one member's chain; outlives its restarts. */
interface KnownChain {
  readonly hashes: string[]
  readonly heightOf: Map<string, number>
}

/**
 * What must hold in every run, checked as it goes: one block per height (for engines with agreement), nothing committed twice, nothing announced is
 * lost by a crash, everything reported as committed is where it was said to be, no member votes twice for different values.
 * Transactions are told apart by their txid: a simulation must not use one twice.
 */
export class Invariants {
  readonly violations: string[] = []
  readonly #agreed: string[] = []
  readonly #chains: KnownChain[]
  readonly #votes: Map<string, string>[]
  readonly #reports = new Map<MemberIndex, Map<string, RequestOutcomeReport>>()
  readonly #accepted = new Map<string, MemberIndex>()
  /** Accepted transactions whose execution fails leave no trace in a block: nothing can be said of them but that nobody waits for them any more. */
  readonly #rejected = new Set<string>()

  constructor(
    members: number,
    private readonly agreement: boolean,
  ) {
    this.#chains = Array.from({ length: members }, () => ({ hashes: [], heightOf: new Map<string, number>() }))
    this.#votes = Array.from({ length: members }, () => new Map<string, string>())
  }

  /** A client was told that its transaction is accepted. */
  accepted(member: MemberIndex, txid: string): void {
    this.#accepted.set(txid, member)
    if (isBoundToFail(txid)) this.#rejected.add(txid)
  }

  /** A client was told how its transaction ended. */
  reported(member: MemberIndex, txid: string, report: RequestOutcomeReport): void {
    if (report.status !== 'committed' && !isBoundToFail(txid)) this.#fail(`vp${member} told its client that ${txid} was ${report.status}`)
    const reports = this.#reports.get(member) ?? new Map<string, RequestOutcomeReport>()
    this.#reports.set(member, reports)
    reports.set(txid, report)
    if (report.status === 'committed') this.#checkReport(member, txid, report)
  }

  /** A member announced a block: from now on it must never be without it. */
  block(member: MemberIndex, number: bigint, bytes: Uint8Array): void {
    const chain = this.#chains[member]
    if (chain === undefined) return
    const height = Number(number)
    if (height !== chain.hashes.length) {
      this.#fail(`vp${member} announced block ${height} where block ${chain.hashes.length} was expected`)
      return
    }
    const hash = toHex(blockHash(bytes))
    const agreed = this.#agreed[height]
    if (agreed === undefined) this.#agreed[height] = hash
    else if (this.agreement && agreed !== hash)
      this.#fail(`vp${member} has another block ${height} than the first member that had one: ${hash.slice(0, 16)} instead of ${agreed.slice(0, 16)}`)
    chain.hashes.push(hash)
    for (const { txid } of decode(Block, bytes).transactions) {
      const before = chain.heightOf.get(txid)
      if (before !== undefined) this.#fail(`vp${member} has transaction ${txid} in block ${height} and in block ${before}`)
      chain.heightOf.set(txid, height)
    }
  }

  /** A member opened its ledger after a restart: on a block boundary, with everything that it ever announced. */
  opened(member: MemberIndex, ledger: Ledger): void {
    const known = this.#chains[member]?.hashes ?? []
    const height = Number(ledger.height())
    if (height < known.length) this.#fail(`vp${member} lost blocks ${height} to ${known.length - 1}, which it had announced`)
    for (let number = Math.max(0, known.length - 2); number < Math.min(height, known.length); number += 1) this.#checkBlock(member, ledger, number)
    for (let number = known.length; number < height; number += 1) {
      const bytes = ledger.blockBytes(BigInt(number))
      if (bytes === undefined) this.#fail(`vp${member} has height ${height} and no block ${number}`)
      else this.block(member, BigInt(number), bytes)
    }
    const head = height === 0 ? undefined : ledger.block(BigInt(height - 1))
    const stateHash = toHex(ledger.stateHash() ?? new Uint8Array())
    if (head && toHex(head.stateHash) !== stateHash) this.#fail(`vp${member} opened with a state that is not that of block ${height - 1}`)
  }

  /** A vote left a member. */
  vote(member: MemberIndex, slot: string, value: string): void {
    const votes = this.#votes[member]
    const before = votes?.get(slot)
    if (before !== undefined && before !== value) this.#fail(`vp${member} voted twice in slot '${slot}': for ${before} and for ${value}`)
    votes?.set(slot, value)
  }

  /** Accepted transactions that are not in the chain of each of these members (rejected ones are in none). */
  missing(members: readonly MemberIndex[]): string[] {
    const isMissing = (txid: string): boolean => !this.#rejected.has(txid) && members.some((member) => !this.#chains[member]?.heightOf.has(txid))
    return [...this.#accepted.keys()].filter(isMissing)
  }

  /** Accepted transactions that the member who accepted them has not committed. */
  unfinished(): string[] {
    return [...this.#accepted].filter(([txid, member]) => !this.#rejected.has(txid) && this.#chains[member]?.heightOf.has(txid) !== true).map(([txid]) => txid)
  }

  get acceptedCount(): number {
    return this.#accepted.size
  }

  /** Blocks that a member has announced. */
  heightOf(member: MemberIndex): number {
    return this.#chains[member]?.hashes.length ?? 0
  }

  /** Reads a member's whole ledger again. */
  async final(member: MemberIndex, ledger: Ledger): Promise<void> {
    const known = this.#chains[member]?.hashes ?? []
    if (Number(ledger.height()) !== known.length) this.#fail(`vp${member} has height ${ledger.height()} but announced ${known.length} blocks`)
    known.forEach((_, number) => this.#checkBlock(member, ledger, number))
    for (const [txid, report] of this.#reports.get(member) ?? []) {
      const location = ledger.locate(txid)
      if (report.status === 'committed' && (location?.block !== report.block || location.index !== report.index)) {
        this.#fail(`vp${member} reported ${txid} as committed at ${report.block}/${report.index} and has it at ${location?.block}/${location?.index}`)
      }
    }
    for (const { where, what } of (await ledger.verify()).faults) this.#fail(`vp${member} does not verify: ${where}: ${what}`)
  }

  #checkReport(member: MemberIndex, txid: string, report: RequestOutcomeReport & { status: 'committed' }): void {
    const height = this.#chains[member]?.heightOf.get(txid)
    if (height === undefined || BigInt(height) !== report.block)
      this.#fail(`vp${member} reported ${txid} as committed in block ${report.block}, but announced it in block ${height}`)
  }

  #checkBlock(member: MemberIndex, ledger: Ledger, number: number): void {
    const bytes = ledger.blockBytes(BigInt(number))
    const hash = bytes && toHex(blockHash(bytes))
    if (hash !== this.#chains[member]?.hashes[number]) this.#fail(`vp${member} has another block ${number} than it announced`)
  }

  #fail(violation: string): void {
    this.violations.push(violation)
  }
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}
