import { type Clock, type Logger, messageOf, PeerError } from '../../../kernel/index.js'
import { decode, encode, type EpochRecord, RecoveryPlan, type RecoveryReport, RecoveryStatement, StoredRecovery } from '../../../proto/index.js'
import type { Store } from '../../level/index.js'
import type { EngineCatalog } from '../catalog.js'
import type { StateTransfer } from '../consensus.js'
import type { Member, MemberIndex } from '../engine/engine.js'
import type { HostLedger } from '../execution/execution.js'
import type { HostNotes } from '../notes.js'
import { digestOf } from '../engine/request-id.js'
import type { ConsensusSigner } from '../session/signer.js'
import { firstLeader } from './contract.js'
import { requireChangeable } from './fixed-engine.js'
import { faultsOf, hasStarted } from './records.js'
import type { Succession } from './succession.js'
import { termsOf } from './terms.js'

/** What an operator wants after an engine broke on more validators than it tolerates. The same on every validator. */
export interface RecoveryWish {
  readonly engine: string
  readonly version?: string
  readonly options?: Readonly<Record<string, unknown>>
  /** Ids of validators that are not waited for. */
  readonly acceptLoss: readonly string[]
}

export interface RecoveryOptions {
  /** The engine of epoch 0 stays. */
  readonly isFixed: boolean
  readonly members: readonly Member[]
  readonly self: MemberIndex
  readonly store: Store
  readonly ledger: HostLedger
  readonly clock: Clock
  readonly log: Logger
  readonly notes: Pick<HostNotes, 'tell'>
  readonly signer: ConsensusSigner | undefined
  readonly transfer: StateTransfer | undefined
  readonly engines: Pick<EngineCatalog, 'find'>
  readonly succession: Succession
  /** Ends the engine of the epoch for good; resolves when nothing of it is in progress. */
  readonly leave: () => Promise<void>
  /** Begins the engine of the epoch that was adopted. */
  readonly enter: () => Promise<void>
  readonly isOver: () => boolean
  readonly fatal: (reason: unknown) => void
}

const ROW = Buffer.from('y')
const NO_PLAN = new Uint8Array(0)
/** Blocks that one member may have committed before others: far above the window of any engine. */
const MAX_LEAD = 10_000n
const SAY_EVERY_MS = 1000
/** A member that asks is answered at most this often. */
const ANSWER_EVERY_MS = 200

/**
 * The way out when an engine is broken on more validators than it tolerates, so that nothing can be ordered any more, a swap included. Each operator
 * stops the engine of his validator, durably; with the statements of all where they stand everybody takes the highest head and begins the next epoch.
 */
export class Recovery {
  private stored: StoredRecovery | undefined
  private id: Uint8Array = new Uint8Array(0)
  private readonly statements = new Map<MemberIndex, RecoveryStatement>()
  private readonly differing = new Set<MemberIndex>()
  private readonly answeredAt = new Map<MemberIndex, number>()
  /** Whose highest head is being taken. */
  private moving: StoredRecovery | undefined
  /** The engine is being stopped; this is not on disk yet. */
  private isStopping = false
  private trouble: string | undefined
  private turn = 0
  private readonly namespace

  constructor(private readonly options: RecoveryOptions) {
    this.namespace = options.store.namespace('consensus')
  }

  /** The engine of the present epoch was given up and must not run. */
  get isUnderWay(): boolean {
    return this.isStopping || (this.stored !== undefined && this.stored.record === undefined)
  }

  /** The record of the epoch that the operators began, for as long as the world state does not have it. */
  get record(): EpochRecord | undefined {
    return this.stored?.record
  }

  /** Reads what was begun before a restart; to be called before any engine is. Rejects if the store fails. */
  async restore(): Promise<void> {
    const row = this.namespace.get(ROW)
    if (!row) return
    const stored = decode(StoredRecovery, row)
    if (!stored.plan || stored.plan.fromEpoch < this.options.succession.record.epoch) return this.done()
    this.stored = stored
    this.id = digestOf(encode(RecoveryPlan, stored.plan))
    if (stored.record) this.options.succession.adopt(stored.record)
  }

  /** Goes on with what `restore` found. */
  resume(): void {
    if (this.stored) this.say()
  }

  /** An operator wants it. Stops the engine durably; what follows goes on by itself. Throws what is wrong with the wish. */
  async begin(wish: RecoveryWish): Promise<void> {
    const { members, self, ledger, succession, engines, leave, log, store, isFixed } = this.options
    requireChangeable(isFixed)
    // An epoch of which no block exists, whose engine orders nothing either, is given up like the one before.
    const plan = await planOf(wish, members, succession.stored, engines)
    if (plan.missing.includes(self)) throw new PeerError('ERR_RECOVERY_SELF', 'this validator cannot be one that is lost: it is here', { grpcStatus: 3 })
    const id = digestOf(encode(RecoveryPlan, plan))
    this.isStopping = true
    await leave()
    const { height, currentBlockHash } = ledger.info()
    const isBound = this.stored?.record !== undefined || this.stored?.isBound === true
    const stored: StoredRecovery = { plan, height, hash: currentBlockHash, record: undefined, isBound }
    const batch = store.batch()
    batch.put(this.namespace, ROW, encode(StoredRecovery, stored))
    await store.commit(batch, 'record')
    this.stored = stored
    this.isStopping = false
    succession.adopt(undefined)
    this.id = id
    this.statements.clear()
    this.differing.clear()
    log.warning('the consensus engine is stopped for good by the operator: a recovery', {
      fromEpoch: plan.fromEpoch,
      to: `${plan.engine} ${plan.version}`,
      height,
    })
    this.say()
  }

  /**
   * An operator takes back what he began by mistake: the engine that was stopped goes on from its records. Whoever has begun the next epoch may have said so in a start marker,
   * of which a quorum counts: it must never run the former engine again. Throws ERR_RECOVERY_NONE and ERR_RECOVERY_DECIDED; rejects if the store fails.
   */
  async cancel(): Promise<void> {
    const { log, members, self, enter } = this.options
    const { stored } = this
    if (!stored?.plan) throw new PeerError('ERR_RECOVERY_NONE', 'no recovery is under way at this validator', { grpcStatus: 9 })
    if (stored.record || stored.isBound)
      throw new PeerError('ERR_RECOVERY_DECIDED', 'there is no way back: this validator has begun the next epoch', {
        grpcStatus: 9,
        hint: 'finish the recovery: run the same command on all validators, or name those that are lost with --accept-loss everywhere',
      })
    await this.done()
    log.warning('the recovery is cancelled by the operator: the engine that was stopped goes on', { fromEpoch: stored.plan.fromEpoch })
    // A statement for no plan takes the place of the one that was made.
    for (const { index } of members) if (index !== self) this.state(index, stored, NO_PLAN, false)
    await enter()
  }

  /** A member states where it stands. */
  async received(from: MemberIndex, statement: RecoveryStatement): Promise<void> {
    if (statement.asks && this.stored) this.answer(from)
    if (!this.stored?.plan || statement.member !== from || statement.fromEpoch !== this.stored.plan.fromEpoch) return
    if (!(await this.isSigned(from, statement))) return
    if (Buffer.compare(statement.plan, this.id) === 0) {
      this.differing.delete(from)
      this.statements.set(from, statement)
      this.move()
    } else {
      this.statements.delete(from)
      if (statement.plan.length === 0) this.differing.delete(from)
      else this.differing.add(from)
    }
  }

  report(): RecoveryReport {
    const { members, self, succession } = this.options
    const { stored } = this
    const { record } = succession
    const rows = members.map(({ index, id }) => {
      const said = index === self && stored ? stored : this.statements.get(index)
      return { id, stated: said !== undefined, height: said?.height ?? 0n, hash: said?.hash ?? new Uint8Array(0), differs: this.differing.has(index) }
    })
    return {
      plan: stored?.plan,
      id: this.id,
      rows: stored ? rows : [],
      state: this.progress(),
      epoch: record.epoch,
      started: record.isRecovery && hasStarted(record),
    }
  }

  /** The chain has grown, perhaps without this validator: once the world state has a later epoch there is nothing to remember. Rejects if the store fails. */
  async look(): Promise<void> {
    const plan = this.stored?.plan
    if (plan && this.options.succession.isStored(plan.fromEpoch + 1n)) await this.done()
  }

  private progress(): string {
    const { stored } = this
    if (!stored) return 'no recovery is under way at this validator'
    if (stored.record) return `epoch ${stored.record.epoch} begins after block ${stored.record.activation}`
    const missing = this.awaited()
    if (missing.length > 0) return `waits for the statements of ${missing.join(', ')}: run the same command there, or name them with --accept-loss everywhere`
    return this.trouble === undefined
      ? 'takes the highest head'
      : `cannot take the highest head yet, of height ${this.trouble}. If nobody can have it, as after a false statement, name who states it with --accept-loss everywhere`
  }

  private awaited(): string[] {
    const { members, self } = this.options
    const missing = this.stored?.plan?.missing ?? []
    return members.filter(({ index }) => index !== self && !missing.includes(index) && !this.statements.has(index)).map(({ id }) => id)
  }

  private say(): void {
    const { clock, members, self, isOver } = this.options
    const turn = ++this.turn
    const again = (): void => {
      if (isOver() || turn !== this.turn || !this.stored) return
      for (const { index } of members) if (index !== self) this.tell(index)
      this.move()
      clock.setTimer(SAY_EVERY_MS, again)
    }
    again()
  }

  /** Two that wait for each other in vain, as with different plans, must not answer each other's questions without end. */
  private answer(to: MemberIndex): void {
    const now = this.options.clock.elapsedMs()
    if (now - (this.answeredAt.get(to) ?? Number.NEGATIVE_INFINITY) < ANSWER_EVERY_MS) return
    this.answeredAt.set(to, now)
    this.tell(to)
  }

  private tell(to: MemberIndex): void {
    if (this.stored) this.state(to, this.stored, this.id, !this.statements.has(to))
  }

  private state(to: MemberIndex, { plan, height, hash }: StoredRecovery, id: Uint8Array, asks: boolean): void {
    const { signer, notes, log, self } = this.options
    if (!plan) return
    const unsigned: RecoveryStatement = { fromEpoch: plan.fromEpoch, plan: id, member: self, height, hash, signature: new Uint8Array(0), asks: false }
    const signing = signer ? signer.sign(statementBytes(unsigned)) : Promise.resolve(unsigned.signature)
    signing.then(
      (signature) => notes.tell({ $case: 'recovery', value: { ...unsigned, signature, asks } }, to),
      (error: unknown) => log.error('a statement for the recovery could not be signed', { reason: messageOf(error) }),
    )
  }

  private async isSigned(from: MemberIndex, statement: RecoveryStatement): Promise<boolean> {
    const { signer, members } = this.options
    const member = members[from]
    if (!signer || !member) return member !== undefined
    return signer.verify(member, statementBytes(statement), statement.signature)
  }

  /** Takes the highest head as soon as everybody has stated his. */
  private move(): void {
    const { stored } = this
    // One that was begun anew does not wait until a head that nobody has was not found.
    if (!stored || this.moving === stored || stored.record || this.awaited().length > 0) return
    this.moving = stored
    const moved = this.takeHighest(stored).finally(() => {
      if (this.moving === stored) this.moving = undefined
    })
    moved.catch((error: unknown) => this.options.fatal(error))
  }

  private async takeHighest(stored: StoredRecovery): Promise<void> {
    const { ledger, transfer, members, self, log, isOver, succession } = this.options
    const { plan } = stored
    if (!plan) return
    // Not of those that are given up, if they answer all the same: others may not have heard it, and all have to choose alike; or the operators know why.
    const counted = [...this.statements.values()].filter(({ member }) => !plan.missing.includes(member))
    const { byzantine } = succession.stored
    const { highest, vouching } = highestOf([{ member: self, height: stored.height, hash: stored.hash }, ...counted], byzantine)
    const { height, currentBlockHash } = ledger.info()
    if (height !== highest.height || Buffer.compare(currentBlockHash, highest.hash) !== 0) {
      const result = transfer
        ? await transfer({ height: highest.height, hash: highest.hash, members: vouching.filter((member) => member !== self) })
        : { reached: false as const, reason: 'state transfer needs the network plugin, which this site does not have' }
      if (isOver() || this.stored !== stored) return
      const stating = vouching.map((member) => members[member]?.id).join(', ')
      this.trouble = result.reached ? undefined : `${highest.height}, which ${stating} ${vouching.length === 1 ? 'states' : 'state'}: ${result.reason}`
      if (!result.reached) return log.error('the highest head of the recovery cannot be reached yet', { height: highest.height, reason: result.reason })
    }
    await this.adopt(stored, plan, highest.height - 1n)
    log.warning('the recovery begins the next epoch', { activationBlock: highest.height - 1n, members: members.length - plan.missing.length })
  }

  private async adopt(stored: StoredRecovery, plan: RecoveryPlan, activation: bigint): Promise<void> {
    const { store, succession, enter, members } = this.options
    const { fromEpoch, missing, ...engine } = plan
    const epoch = fromEpoch + 1n
    const present = members.map(({ index }) => index).filter((index) => !missing.includes(index))
    const record: EpochRecord = {
      ...engine,
      epoch,
      activation,
      firstLeader: firstLeader(epoch, members.length, present),
      candidate: this.id,
      markersNeeded: members.length - Math.max(faultsOf(plan), missing.length),
      started: [],
      missing,
      isRecovery: true,
    }
    const adopted: StoredRecovery = { ...stored, record }
    const batch = store.batch()
    batch.put(this.namespace, ROW, encode(StoredRecovery, adopted))
    await store.commit(batch, 'record')
    if (this.stored !== stored) return
    this.stored = adopted
    succession.adopt(record)
    await enter()
  }

  private async done(): Promise<void> {
    this.stored = undefined
    this.statements.clear()
    this.differing.clear()
    this.turn++
    const batch = this.options.store.batch()
    batch.delete(this.namespace, ROW)
    await this.options.store.commit(batch, 'record')
  }
}

/** What a member signs of its statement. */
export function statementBytes(statement: RecoveryStatement): Uint8Array {
  return Buffer.concat([
    Buffer.from('weft consensus recovery of a member\n'),
    encode(RecoveryStatement, { ...statement, signature: new Uint8Array(0), asks: false }),
  ])
}

/** A head that a member states, as far as it decides. */
interface StatedHead {
  readonly member: MemberIndex
  readonly height: bigint
  readonly hash: Uint8Array
}

/**
 * The highest head and who states it, of those that can be: who votes in an engine that bears liars is not far behind what was committed, so what is far above
 * the others but as many as may lie is a lie. Of different ones of that height the one that most state, then the one with the smaller hash: everybody must choose alike.
 */
export function highestOf(stated: readonly StatedHead[], byzantine = 0): { readonly highest: StatedHead; readonly vouching: readonly MemberIndex[] } {
  const heights = stated.map(({ height }) => height).sort((left, right) => (left < right ? 1 : -1))
  const certain = heights[Math.min(byzantine, heights.length - 1)] ?? 0n
  const heads = stated.filter(({ height }) => height <= certain + MAX_LEAD)
  const vouchingFor = (head: StatedHead): MemberIndex[] =>
    heads.filter(({ height, hash }) => height === head.height && Buffer.compare(hash, head.hash) === 0).map(({ member }) => member)
  const isBetter = (head: StatedHead, best: StatedHead): boolean => {
    if (head.height !== best.height) return head.height > best.height
    const more = vouchingFor(head).length - vouchingFor(best).length
    return more > 0 || (more === 0 && Buffer.compare(head.hash, best.hash) < 0)
  }
  const highest = heads.reduce((best, head) => (isBetter(head, best) ? head : best))
  return { highest, vouching: vouchingFor(highest) }
}

async function planOf(
  { engine: name, version, options: wished, acceptLoss }: RecoveryWish,
  members: readonly Member[],
  record: EpochRecord,
  engines: Pick<EngineCatalog, 'find'>,
): Promise<RecoveryPlan> {
  const engine = await engines.find(name, version)
  const options = wished ?? engine.options ?? {}
  await engine.checkOptions(options, members)
  const missing = acceptLoss.map((id) => {
    const member = members.find((known) => known.id === id)
    if (!member)
      throw new PeerError('ERR_RECOVERY_MEMBER', `--accept-loss: expected one of ${members.map((known) => known.id).join(', ')}; found '${id}'`, {
        grpcStatus: 3,
      })
    return member.index
  })
  return {
    ...termsOf(engine, options, members.length),
    fromEpoch: record.epoch,
    members: record.members,
    missing: [...new Set(missing)].sort((left, right) => left - right),
  }
}
