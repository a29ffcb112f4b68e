import { type CrossingNote, hex } from '../../../proto/index.js'
import type { StateTransfer } from '../consensus.js'
import type { ConsensusCounters } from '../counters.js'
import { Dispute } from './dispute.js'
import type { MemberIndex } from '../engine/engine.js'
import type { HostLedger } from '../execution/execution.js'
import { type AgreedHead, HeadWatch } from './heads.js'
import type { HostNotes, Note } from '../notes.js'
import { repair } from './repair.js'
import type { SessionSurroundings } from '../session/session.js'
import { faultsOf } from '../swap/records.js'
import type { Succession } from '../swap/succession.js'

export interface CommonChainOptions {
  readonly surroundings: SessionSurroundings
  readonly ledger: HostLedger
  readonly succession: Succession
  readonly notes: HostNotes
  /** Whether there is anybody to compare with. */
  readonly hasNotes: boolean
  readonly transfer: StateTransfer | undefined
  readonly counters: ConsensusCounters | undefined
  readonly isRunning: () => boolean
  readonly isRecovering: () => boolean
  readonly isHalted: () => boolean
  /** Whether the engine has no delivery under way. */
  readonly isIdle: () => boolean
  /** Ends the engine. */
  readonly leave: () => Promise<void>
  /** Remembers, on disk, that own blocks differ from this one on at the latest, for the engines that begin. */
  readonly diverged: (first: bigint) => Promise<void>
  /** Begins a new one on the chain as it is now. */
  readonly enter: () => Promise<void>
  readonly halt: (reason: string) => void
}

const ASK_WHILE_HALTED_MS = 2000
const LOOK_AROUND_MS = 1000
const LOOKS_BEFORE_CATCHING_UP = 3
const SHOWN_HEX = 16

/**
 * Sees to it that this validator has the chain of the others: compares heads, takes theirs where it stands alone or has fallen behind, and says clearly
 * where that is impossible (design §7).
 */
export class CommonChain {
  private readonly watch: HeadWatch | undefined
  private readonly dispute: Dispute
  private divergedText: string | undefined
  private repairingText: string | undefined
  /** Why this validator must not take the chain of the others by itself. */
  private conflict: string | undefined
  private readonly conflicting = new Set<MemberIndex>()
  /** The epoch that each member last said to be in. */
  private readonly epochs = new Map<MemberIndex, bigint>()
  private repairRun: Promise<void> | undefined
  private lookedAtHeight = -1n
  private looksBehind = 0

  constructor(private readonly options: CommonChainOptions) {
    const { surroundings, counters, isRunning } = options
    this.watch = this.createWatch()
    this.dispute = new Dispute({
      counters,
      watch: () => this.watch,
      settled: () => this.settled(),
      isOver: () => !isRunning(),
      ...surroundings,
    })
  }

  /** Why it takes the chain of the others now; undefined: it does not. */
  get repairing(): string | undefined {
    return this.repairingText
  }

  /** What more validators than may be faulty disagree about; undefined: nothing. */
  get disputed(): string | undefined {
    return this.dispute.reason
  }

  /** What operators are told of differing chains, also after it is over. */
  get divergence(): string | undefined {
    return this.dispute.reason ?? this.divergedText
  }

  /** The ledger has a new head. */
  committed(head: { readonly height: bigint; readonly hash: Uint8Array }): void {
    this.watch?.committed(head)
  }

  /**
   * An engine may have no way to learn what was decided while its validator was away: the votes of those that were there are too few until the next
   * checkpoint. That enough others have executed it is proof. Looks now and then, and acts if nothing has moved for a while.
   */
  lookAround(): void {
    const { watch } = this
    const { ledger, transfer, surroundings, isRunning, isHalted, isIdle } = this.options
    // Without a way to take their chain a working engine is worth more than none.
    if (!watch || !transfer || !isRunning()) return
    surroundings.clock.setTimer(LOOK_AROUND_MS, () => this.lookAround())
    if (this.isOccupied() || (isHalted() && !this.isOvertaken()) || this.dispute.reason !== undefined) return
    const height = ledger.height()
    const isStill = height === this.lookedAtHeight && isIdle()
    this.lookedAtHeight = height
    const ahead = isStill ? watch.agreedFrom(height + 1n) : undefined
    this.looksBehind = ahead ? this.looksBehind + 1 : 0
    if (isStill) watch.query()
    // The engine of an epoch that is over for others has nobody left who could tell it what it missed.
    if (!ahead || this.looksBehind < (this.isOvertaken() ? 1 : LOOKS_BEFORE_CATCHING_UP)) return
    this.looksBehind = 0
    surroundings.log.info('this validator is behind and its engine does not move: it catches up and begins anew', { height, others: ahead.height })
    this.replaceEngine(ahead, false)
  }

  /** An engine that compares results halts itself before the host has seen the difference: then the host looks. */
  askWhileHalted(): void {
    const { surroundings, isRunning, isHalted } = this.options
    if (!this.watch || !isHalted() || !isRunning() || this.repairingText !== undefined || this.conflict !== undefined) return
    this.watch.query()
    surroundings.clock.setTimer(ASK_WHILE_HALTED_MS, () => this.askWhileHalted())
  }

  /** What other hosts say of their chains. */
  heard(from: MemberIndex, note: Note): void {
    const { watch } = this
    if (note.$case === 'heads') watch?.heard(from, note.value.heads)
    else if (note.$case === 'query') watch?.asked(from, note.value.height)
    else if (note.$case === 'crossing') this.heardOfCrossing(from, note.value)
  }

  private heardOfCrossing(from: MemberIndex, note: CrossingNote): void {
    const { epoch, activation, hash, recovery } = note
    this.epochs.set(from, epoch)
    if (recovery) this.heardOfRecovery(from, note)
    // Whoever is behind takes their chain if they agree, as it would after any other absence.
    if (epoch > this.options.succession.record.epoch && !this.conflicting.has(from)) this.watch?.heard(from, [{ height: activation + 1n, hash }])
  }

  /** Others began an epoch without this validator. If it has blocks that they have not, some that were acknowledged are lost with them: nobody may hide that. */
  private heardOfRecovery(from: MemberIndex, { epoch, activation, hash }: CrossingNote): void {
    const { succession, ledger, halt } = this.options
    const { record } = succession
    if (epoch <= record.epoch || this.conflict !== undefined) return
    const own = succession.hashOf(activation)
    const isPrefix = own === undefined || (Buffer.compare(own, hash) === 0 && ledger.height() === activation + 1n)
    if (isPrefix) return
    this.conflicting.add(from)
    if (this.conflicting.size <= faultsOf(record)) return
    this.conflict = `the others recovered without this validator and began epoch ${epoch} after block ${activation}, but it has committed other blocks: they are lost to the network`
    halt(`${this.conflict}. Keep this data directory, find out what they hold, and start with an empty one`)
  }

  /** Engines without agreement may rightly have different blocks. */
  private createWatch(): HeadWatch | undefined {
    const { surroundings, ledger, notes, hasNotes, succession } = this.options
    const { members, self, clock } = surroundings
    if (!hasNotes || members.length < 2) return undefined
    return new HeadWatch({
      members: members.length,
      self,
      quorum: () => (succession.record.agreement ? faultsOf(succession.record) + 1 : undefined),
      ledger,
      notes,
      clock,
      differs: (head) => this.differs(head),
      splits: () => {
        if (!this.isOccupied()) this.dispute.begin()
      },
      strays: (member, head) => this.dispute.strays(member, head),
    })
  }

  /** Whether the chains of others change nothing now. */
  private isOccupied(): boolean {
    return this.repairingText !== undefined || this.conflict !== undefined || this.isGivenUp()
  }

  /** Nothing is taken from others: the peer ends, or its operator has stopped its engine for a recovery that is still to come. */
  private isGivenUp(): boolean {
    return !this.options.isRunning() || (this.options.isRecovering() && !this.isOvertaken())
  }

  /** Enough others are in a later epoch that one of them must be right: whatever a recovery here waits for is past. */
  private isOvertaken(): boolean {
    const { record } = this.options.succession
    return [...this.epochs.values()].filter((epoch) => epoch > record.epoch).length > faultsOf(record)
  }

  /** Resolves when nothing is taken from others any more. */
  async repaired(): Promise<void> {
    await this.repairRun
  }

  /** An engine that halted because of the others' results goes on. */
  private settled(): void {
    const { isHalted, isRunning, leave, enter, surroundings } = this.options
    if (!isHalted() || !isRunning() || this.repairingText !== undefined) return
    leave()
      .then(() => enter())
      .catch(surroundings.fatal)
  }

  /** Others agree on another chain: no vote and no answer to a query until theirs is here. */
  private differs(head: AgreedHead): void {
    if (this.isOccupied()) return
    const { log, members } = this.options.surroundings
    const others = head.members.map((member) => members[member]?.id ?? member).join(', ')
    const [ours, theirs] = [this.watch?.ownHash(head.height), hex(head.hash)].map((hash = '') => hash.slice(0, SHOWN_HEX))
    this.divergedText = `this validator has another block ${head.height - 1n} (${ours}) than ${others} (${theirs}): it votes no more and takes theirs`
    log.critical('this validator has diverged: it executed the same requests with another result', { block: head.height - 1n, ours, theirs, others })
    if (this.options.counters) this.options.counters.divergences++
    this.replaceEngine(head, true)
  }

  /** Ends the engine, takes the chain of the others, and begins with a new one. */
  private replaceEngine(head: AgreedHead, isDiverged: boolean): void {
    this.repairingText = (isDiverged ? this.divergedText : undefined) ?? 'it catches up with the others'
    this.repairRun = this.repair(head, isDiverged).catch(this.options.surroundings.fatal)
  }

  private async repair(head: AgreedHead, isDiverged: boolean): Promise<void> {
    const { watch } = this
    const { ledger, transfer, surroundings, leave, diverged, enter } = this.options
    const { clock, log } = surroundings
    await leave()
    // Which block is the first is not known yet.
    if (isDiverged) await diverged(0n)
    const isOver = (): boolean => this.isGivenUp()
    const first = watch && (await repair(head, { watch, ledger, transfer, clock, log, isOver }))
    if (isOver()) {
      this.repairingText = undefined
      return
    }
    const at = isDiverged ? (first ?? head.height - 1n) : undefined
    if (at !== undefined) {
      this.divergedText = `block ${at} was the first that differed from the others'; repaired at height ${ledger.height()}`
      log.error('this validator had diverged and is repaired: look for a chaincode that is not deterministic, or for damage', {
        firstBlock: at,
        height: ledger.height(),
      })
    }
    if (at !== undefined) await diverged(at)
    await enter()
    this.repairingText = undefined
  }
}
