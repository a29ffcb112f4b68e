import { encode, decode, pbft } from '../../../proto/index.js'
import { Certs } from './certs.js'
import type { CoreOptions, Event, Inner, Target } from './core-events.js'
import { H } from './ledger.js'
import { Panic, type Surroundings } from './surroundings.js'
import { Timer } from './timer.js'

type Batch = pbft.RequestBatch
type ViewChange = pbft.ViewChange
type PQ = pbft.ViewChangePQ

const NOTHING = new Uint8Array(0)
const NEVER = Number.POSITIVE_INFINITY
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
export const digestOf = (bytes: Uint8Array): string => base64(H(bytes))
export const batchDigest = (batch: Batch): string => digestOf(encode(pbft.RequestBatch, batch))

/** State, normal case, checkpoints, state transfer and records of the PBFT core of an original, with its quirks (spec/consensus.md §6–§8, §11). */
export abstract class CoreBase {
  view = 0
  activeView = true
  h = 0
  seqNo = 0
  lastExec = 0
  currentExec: number | undefined
  readonly log: Certs
  outstanding = new Map<string, Batch>()
  readonly chkpts = new Map<number, string>()
  readonly checkpointMsgs = new Map<string, { readonly n: number; readonly replica: number; readonly id: string }>()
  readonly hChkpts = new Map<number, number>()
  readonly viewChanges = new Map<string, ViewChange>()
  readonly newViews = new Map<number, pbft.NewView>()
  readonly missing = new Set<string>()
  skipInProgress = false
  stateTransferring = false
  target: Target | undefined
  viewChangeSeqNo = NEVER
  newViewMs: number
  readonly newViewTimer: Timer<Event>
  protected readonly resendTimer: Timer<Event>
  protected readonly nullTimer: Timer<Event>
  readonly L: number
  readonly K: number
  readonly quorum: number
  entered = 0

  constructor(
    readonly options: CoreOptions,
    protected readonly inner: Inner,
    readonly store: Map<string, Uint8Array>,
    protected readonly world: Surroundings,
    queue: (event: Event, isCurrent: () => boolean) => void,
  ) {
    this.K = options.K
    this.L = this.K * options.logMultiplier
    this.quorum = Math.floor((options.N + options.f + 2) / 2)
    this.log = new Certs(this.quorum)
    this.newViewMs = options.viewChangeMs
    this.newViewTimer = new Timer(world, queue)
    this.resendTimer = new Timer(world, queue)
    this.nullTimer = new Timer(world, queue)
    this.restore()
  }

  /** Leaves the view (§9.1). */
  abstract sendViewChange(): Event | undefined
  /** §9.8 */
  protected abstract processNewView(): Event | undefined

  halt(): void {
    for (const timer of [this.newViewTimer, this.resendTimer, this.nullTimer]) timer.stop()
  }

  primary(view: number): number {
    return view % this.options.N
  }

  get isPrimary(): boolean {
    return this.primary(this.view) === this.options.id
  }

  // --- normal case (§7)

  inW(n: number): boolean {
    return n > this.h && n <= this.h + this.L
  }

  onRequestBatch(batch: Batch): undefined {
    const d = batchDigest(batch)
    this.log.batches.set(d, batch)
    this.outstanding.set(d, batch)
    this.store.set(`reqBatch.${d}`, encode(pbft.RequestBatch, batch))
    if (this.activeView) this.softStartRequestTimer()
    if (this.isPrimary && this.activeView) {
      this.nullTimer.stop()
      this.propose(batch, d)
    }
  }

  protected propose(batch: Batch | undefined, d: string): void {
    const n = this.seqNo + 1
    if (d !== '')
      for (const { prePrepare: p } of this.log.certs.values()) if (p && p.view === this.view && p.sequenceNumber !== n && p.batchDigest === d) return
    if (!this.inW(n) || n > this.h + Math.floor(this.L / 2) || n > this.viewChangeSeqNo) return
    this.seqNo = n
    const prePrepare: pbft.PrePrepare = { view: this.view, sequenceNumber: n, batchDigest: d, requestBatch: batch, replicaId: this.options.id }
    const cert = this.log.cert(this.view, n)
    cert.prePrepare = prePrepare
    cert.digest = d
    this.persistQ()
    this.inner.broadcast({ $case: 'prePrepare', value: prePrepare })
    this.maybeCommit(d, this.view, n)
  }

  protected onPrePrepare(p: pbft.PrePrepare): undefined {
    const { view: v, sequenceNumber: n, batchDigest: d } = p
    if (!this.activeView || this.primary(this.view) !== p.replicaId || v !== this.view || !this.inW(n)) return
    if (n > this.viewChangeSeqNo) {
      this.sendViewChange()
      return
    }
    const cert = this.log.cert(v, n)
    if (cert.digest !== '' && cert.digest !== d) {
      this.world.log(`two digests for ${n}: ${cert.digest.slice(0, 8)} ${d.slice(0, 8)}`)
      this.sendViewChange()
      return
    }
    cert.prePrepare = p
    cert.digest = d
    if (d !== '' && !this.log.batches.has(d)) {
      const found = p.requestBatch ? batchDigest(p.requestBatch) : digestOf(NOTHING)
      if (found !== d || !p.requestBatch) {
        this.world.log(`the batch of ${n} has not its digest`)
        return
      }
      this.log.batches.set(d, p.requestBatch)
      this.outstanding.set(d, p.requestBatch)
      this.store.set(`reqBatch.${d}`, encode(pbft.RequestBatch, p.requestBatch))
    }
    this.softStartRequestTimer()
    this.nullTimer.stop()
    if (!this.isPrimary && this.log.prePrepared(d, v, n) && !cert.sentPrepare) {
      const prepare: pbft.Prepare = { view: v, sequenceNumber: n, batchDigest: d, replicaId: this.options.id }
      cert.sentPrepare = true
      this.persistQ()
      this.onPrepare(prepare)
      this.inner.broadcast({ $case: 'prepare', value: prepare })
    }
  }

  protected onPrepare(p: pbft.Prepare): undefined {
    if (this.primary(p.view) === p.replicaId || p.view !== this.view || !this.inW(p.sequenceNumber)) return
    const cert = this.log.cert(p.view, p.sequenceNumber)
    if (cert.prepares.some(({ replicaId }) => replicaId === p.replicaId)) return
    cert.prepares.push(p)
    this.persistP()
    this.maybeCommit(p.batchDigest, p.view, p.sequenceNumber)
  }

  protected maybeCommit(d: string, v: number, n: number): void {
    const cert = this.log.cert(v, n)
    if (!this.log.prepared(d, v, n) || cert.sentCommit) return
    const commit: pbft.Commit = { view: v, sequenceNumber: n, batchDigest: d, replicaId: this.options.id }
    cert.sentCommit = true
    this.onCommit(commit)
    this.inner.broadcast({ $case: 'commit', value: commit })
  }

  protected onCommit(c: pbft.Commit): undefined {
    if (c.view !== this.view || !this.inW(c.sequenceNumber)) return
    const cert = this.log.cert(c.view, c.sequenceNumber)
    if (cert.commits.some(({ replicaId }) => replicaId === c.replicaId)) return
    cert.commits.push(c)
    if (!this.log.committed(c.batchDigest, c.view, c.sequenceNumber)) return
    this.newViewTimer.stop()
    this.newViewMs = this.options.viewChangeMs
    this.outstanding.delete(c.batchDigest)
    this.executeOutstanding()
    if (c.sequenceNumber === this.viewChangeSeqNo) this.sendViewChange()
  }

  protected executeOutstanding(): void {
    if (this.currentExec !== undefined) return
    for (const { v, n, digest, prePrepare } of this.log.certs.values()) {
      if (n !== this.lastExec + 1 || !prePrepare || this.skipInProgress || !this.log.committed(digest, v, n)) continue
      this.currentExec = n
      if (digest === '') this.executionDone()
      else this.inner.execute(n, this.log.batches.get(digest) ?? { batch: [] })
      break
    }
    this.startTimerIfOutstanding()
  }

  protected executionDone(): void {
    if (this.currentExec !== undefined) {
      this.lastExec = this.currentExec
      if (this.lastExec % this.K === 0) this.checkpoint(this.lastExec, this.inner.getState())
    } else this.skipInProgress = true
    this.currentExec = undefined
    this.executeOutstanding()
  }

  protected onExecutionDone(): Event | undefined {
    this.executionDone()
    if (this.skipInProgress) this.tryStateTransfer(undefined)
    return this.processNewView()
  }

  startTimerIfOutstanding(): void {
    if (this.skipInProgress || this.currentExec !== undefined) return
    if (this.outstanding.size > 0) this.softStartRequestTimer()
    else if (this.options.nullRequestMs > 0)
      this.nullTimer.reset(this.options.nullRequestMs + (this.isPrimary ? 0 : this.options.requestMs), { is: 'nullRequestTimer' })
  }

  softStartRequestTimer(): void {
    this.newViewTimer.softReset(this.options.requestMs, { is: 'newViewTimer' })
  }

  // --- checkpoints and state transfer (§8)

  protected checkpoint(n: number, blob: Uint8Array): void {
    if (n % this.K !== 0) return this.world.log(`no checkpoint at ${n}`)
    const id = base64(blob)
    const message: pbft.Checkpoint = { sequenceNumber: n, replicaId: this.options.id, id }
    this.chkpts.set(n, id)
    this.store.set(`chkpt.${n}`, blob)
    this.onCheckpoint(message)
    this.inner.broadcast({ $case: 'checkpoint', value: message })
  }

  protected onCheckpoint({ sequenceNumber: n, replicaId, id }: pbft.Checkpoint): Event | undefined {
    const replica = replicaId
    if (this.fallBehind(n, replica)) return undefined
    if (!this.inW(n)) return undefined
    this.checkpointMsgs.set(`${n} ${replica} ${id}`, { n, replica, id })
    const all = [...this.checkpointMsgs.values()].filter((each) => each.n === n)
    if (new Set(all.map((each) => each.id)).size > this.options.f + 1) throw new Panic(`no stable certificate is possible for ${n}`)
    const matching = all.filter((each) => each.id === id)
    if (matching.length === this.options.f + 1) {
      const own = this.chkpts.get(n)
      if (own !== undefined && own !== id) throw new Panic(`own checkpoint ${n} differs from a weak certificate`)
      this.weakCertificate(
        n,
        id,
        matching.map((each) => each.replica),
      )
    }
    if (matching.length < this.quorum) return undefined
    if (!this.chkpts.has(n)) {
      if (this.skipInProgress && n >= this.h + Math.floor(this.L / 2)) this.moveWatermarks(n)
      return undefined
    }
    this.moveWatermarks(n)
    return this.processNewView()
  }

  protected weakCertificate(n: number, id: string, replicas: readonly number[]): void {
    const found: Target = { n, id: Buffer.from(id, 'base64'), replicas }
    if (!this.target || this.target.n < n) this.target = found
    if (this.skipInProgress) this.tryStateTransfer(found)
  }

  protected fallBehind(n: number, replica: number): boolean {
    const H = this.h + this.L
    if (n < H) {
      this.hChkpts.delete(replica)
      return false
    }
    this.hChkpts.set(replica, n)
    if (this.hChkpts.size < this.options.f + 1) return false
    const sorted = [...this.hChkpts.values()].sort((a, b) => a - b)
    for (const [each, told] of this.hChkpts) if (told < H) this.hChkpts.delete(each)
    const m = sorted[sorted.length - (this.options.f + 1)] ?? 0
    if (m <= H) return false
    this.world.log(`out of date: others are at ${m}, above ${H}`)
    this.log.batches.clear()
    for (const key of [...this.store.keys()].filter((key) => key.startsWith('reqBatch.'))) this.store.delete(key)
    this.moveWatermarks(m)
    this.outstanding = new Map()
    this.skipInProgress = true
    this.inner.validate(false)
    this.newViewTimer.stop()
    return true
  }

  protected moveWatermarks(n: number): void {
    const x = (n / this.K) * this.K
    for (const [key, cert] of this.log.certs) {
      if (cert.n > x) continue
      this.store.delete(`reqBatch.${cert.digest}`)
      this.log.batches.delete(cert.digest)
      this.log.certs.delete(key)
    }
    for (const [key, each] of this.checkpointMsgs) if (each.n <= x) this.checkpointMsgs.delete(key)
    for (const each of this.log.pset.keys()) if (each <= x) this.log.pset.delete(each)
    for (const [key, each] of this.log.qset) if (each.sequenceNumber <= x) this.log.qset.delete(key)
    for (const each of this.chkpts.keys()) {
      if (each >= x) continue
      this.chkpts.delete(each)
      this.store.delete(`chkpt.${each}`)
    }
    this.h = x
    if (this.isPrimary) this.resubmitBatches()
  }

  protected resubmitBatches(): void {
    const known = new Set([...this.log.certs.values()].map(({ digest }) => digest))
    for (const [d, batch] of this.outstanding) if (!known.has(d)) this.onRequestBatch(batch)
  }

  protected startStateTransfer(target: Target | undefined): void {
    if (!this.skipInProgress) {
      this.skipInProgress = true
      this.inner.validate(false)
    }
    this.tryStateTransfer(target)
  }

  protected tryStateTransfer(wanted: Target | undefined): void {
    if (this.currentExec !== undefined || this.stateTransferring) return
    const target = wanted ?? this.target
    if (!target) return
    this.stateTransferring = true
    this.inner.skipTo(target)
  }

  protected onStateUpdated(n: number, id: Uint8Array, success: boolean): undefined {
    this.stateTransferring = false
    if (!success || n < this.h) {
      if (this.target && n < this.target.n) this.tryStateTransfer(undefined)
      return
    }
    this.lastExec = n
    this.moveWatermarks(n)
    this.skipInProgress = false
    this.inner.validate(true)
    this.checkpoint(n, id)
    this.executeOutstanding()
  }

  // --- rotation (§9.11) and persistence (§11)

  protected updateViewChangeSeqNo(): void {
    const { viewChangePeriod: p } = this.options
    this.viewChangeSeqNo = p === 0 ? NEVER : this.seqNo + p * this.K - (this.seqNo % this.K)
  }

  protected persistQ(): void {
    this.store.set('qset', encode(pbft.PQset, { set: this.log.calcQ() }))
  }

  protected persistP(): void {
    this.store.set('pset', encode(pbft.PQset, { set: this.log.calcP() }))
  }

  protected restore(): void {
    this.chkpts.set(0, 'XXX GENESIS')
    const set = (key: string): PQ[] => decode(pbft.PQset, this.store.get(key) ?? NOTHING).set
    for (const e of set('pset')) this.log.pset.set(e.sequenceNumber, e)
    for (const e of set('qset')) this.log.qset.set(`${e.batchDigest} ${e.sequenceNumber}`, e)
    for (const { view, sequenceNumber: n } of [...this.log.pset.values(), ...this.log.qset.values()]) {
      if (view > this.view) this.view = view
      if (n > this.seqNo) this.seqNo = n
    }
    this.lastExec = this.inner.lastSeqNo()
    let low = this.lastExec
    for (const [key, value] of this.store) {
      if (key.startsWith('reqBatch.')) {
        const batch = decode(pbft.RequestBatch, value)
        this.log.batches.set(batchDigest(batch), batch)
      } else if (key.startsWith('chkpt.')) {
        const n = Number(key.slice('chkpt.'.length))
        this.chkpts.set(n, base64(value))
        if (n < low) low = n
      }
    }
    this.moveWatermarks(low)
    this.updateViewChangeSeqNo()
  }
}
