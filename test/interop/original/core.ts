import { encode, pbft } from '../../../proto/index.js'
import { batchDigest, CoreBase } from './core-base.js'
import type { Event } from './core-events.js'
import { assign, initialCheckpoint, type Sizes } from './new-view.js'

type Batch = pbft.RequestBatch
type ViewChange = pbft.ViewChange

const NOTHING = new Uint8Array(0)

/** The PBFT core of an original (spec/consensus.md §6–§11): what comes in, and view changes. */
export class Core extends CoreBase {
  process(event: Event): Event | undefined {
    switch (event.is) {
      case 'message':
        return this.receive(event.from, event.message)
      case 'requestBatch':
        return this.onRequestBatch(event.batch)
      case 'newViewTimer':
        this.sendViewChange()
        return undefined
      case 'resendTimer':
        if (this.activeView) return undefined
        this.view--
        return this.sendViewChange()
      case 'nullRequestTimer':
        if (!this.activeView) return undefined
        if (this.isPrimary) this.propose(undefined, '')
        else this.sendViewChange()
        return undefined
      case 'executionDone':
        return this.onExecutionDone()
      case 'stateUpdated':
        return this.onStateUpdated(event.n, event.id, event.success)
      case 'quorum':
        return this.isPrimary ? this.sendNewView() : this.processNewView()
      case 'startUp':
        this.startStateTransfer({ n: this.lastExec, id: this.inner.getState(), replicas: undefined })
        return undefined
      // The batch engine's own.
      case 'executed':
      case 'committed':
      case 'batchTimer':
      case 'viewChanged':
      case 'transaction':
      case 'consensus':
        break
    }
    return undefined
  }

  private receive(from: number, message: pbft.Payload): Event | undefined {
    if (message.$case === 'requestBatch') return this.onRequestBatch(message.value)
    if (message.$case === 'returnRequestBatch') return this.onReturned(message.value)
    if (message.value.replicaId !== from) {
      this.world.log(`${message.$case} of ${from} says it is of ${message.value.replicaId}`)
      return undefined
    }
    switch (message.$case) {
      case 'prePrepare':
        return this.onPrePrepare(message.value)
      case 'prepare':
        return this.onPrepare(message.value)
      case 'commit':
        return this.onCommit(message.value)
      case 'checkpoint':
        return this.onCheckpoint(message.value)
      case 'viewChange':
        return this.onViewChange(message.value)
      case 'newView':
        return this.onNewView(message.value)
      case 'fetchRequestBatch': {
        const batch = this.log.batches.get(message.value.batchDigest)
        if (batch) this.inner.unicast({ $case: 'returnRequestBatch', value: batch }, message.value.replicaId)
      }
    }
    return undefined
  }

  // --- view change (§9)

  sendViewChange(): Event | undefined {
    this.newViewTimer.stop()
    this.newViews.delete(this.view)
    this.view++
    this.activeView = false
    this.log.pset = new Map(this.log.calcP().map((each) => [each.sequenceNumber, each]))
    this.log.qset = new Map(this.log.calcQ().map((each) => [`${each.batchDigest} ${each.sequenceNumber}`, each]))
    for (const [key, cert] of this.log.certs) if (cert.v < this.view) this.log.certs.delete(key)
    for (const [key, change] of this.viewChanges) if (change.view < this.view) this.viewChanges.delete(key)
    const unsigned: ViewChange = {
      view: this.view,
      h: this.h,
      cset: this.shuffled([...this.chkpts].map(([sequenceNumber, id]) => ({ sequenceNumber, id }))),
      pset: this.shuffled([...this.log.pset.values()]),
      qset: this.shuffled([...this.log.qset.values()]),
      replicaId: this.options.id,
      signature: NOTHING,
    }
    const change = { ...unsigned, signature: encode(pbft.ViewChange, unsigned) }
    this.world.log(`view change to ${this.view}: h ${this.h}, C ${[...this.chkpts.keys()].join()}, P ${[...this.log.pset.keys()].join()}`)
    this.inner.broadcast({ $case: 'viewChange', value: change })
    this.resendTimer.reset(this.options.resendMs, { is: 'resendTimer' })
    return this.onViewChange(change)
  }

  private shuffled<T>(items: T[]): T[] {
    return items
      .map((item) => ({ item, at: this.world.random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ item }) => item)
  }

  private onViewChange(change: ViewChange): Event | undefined {
    if (change.view < this.view) return undefined
    const entriesFit = [...change.pset, ...change.qset].every(
      (e) => e.view < change.view && e.sequenceNumber > change.h && e.sequenceNumber <= change.h + this.L,
    )
    const checkpointsFit = change.cset.every((e) => e.sequenceNumber >= change.h && e.sequenceNumber <= change.h + this.L)
    if (!entriesFit || !checkpointsFit) {
      this.world.log(`view change of ${change.replicaId} for ${change.view} is incorrect`)
      return undefined
    }
    const key = `${change.view} ${change.replicaId}`
    if (this.viewChanges.has(key)) return undefined
    this.viewChanges.set(key, change)
    const ahead = [...this.viewChanges.values()].filter(({ view }) => view > this.view)
    if (new Set(ahead.map(({ replicaId }) => replicaId)).size >= this.options.f + 1) {
      this.view = ahead.map(({ view }) => view).reduce((low, view) => (view < low ? view : low)) - 1
      return this.sendViewChange()
    }
    const here = [...this.viewChanges.values()].filter(({ view }) => view === this.view).length
    if (this.activeView || change.view !== this.view || here < this.options.N - this.options.f) return undefined
    this.resendTimer.stop()
    this.newViewTimer.reset(this.newViewMs, { is: 'newViewTimer' })
    this.newViewMs *= 2
    return { is: 'quorum' }
  }

  private sendNewView(): Event | undefined {
    if (this.newViews.has(this.view)) return undefined
    const vset = this.shuffled([...this.viewChanges.values()])
    const base = initialCheckpoint(vset, this.sizes)
    const xset = base && assign(vset, base.n, this.sizes)
    if (!base || !xset) return undefined
    const newView: pbft.NewView = {
      view: this.view,
      vset,
      xset: this.shuffled([...xset].map(([key, value]) => ({ key: BigInt(key), value }))),
      replicaId: this.options.id,
    }
    this.inner.broadcast({ $case: 'newView', value: newView })
    this.newViews.set(this.view, newView)
    return this.processNewView()
  }

  private onNewView(newView: pbft.NewView): Event | undefined {
    const { view, replicaId } = newView
    if (!(view > 0) || view < this.view || this.primary(view) !== replicaId || this.newViews.has(view)) return undefined
    this.newViews.set(view, newView)
    return this.processNewView()
  }

  protected processNewView(): Event | undefined {
    const newView = this.newViews.get(this.view)
    if (!newView || this.activeView) return undefined
    const base = initialCheckpoint(newView.vset, this.sizes)
    if (!base) {
      this.world.log('no initial checkpoint in the new view')
      return this.sendViewChange()
    }
    const done = this.currentExec ?? this.lastExec
    if (done < base.n) {
      let canGetThere = true
      for (let n = done + 1; n <= base.n && canGetThere; n++)
        canGetThere = [...this.log.certs.values()].some(
          (cert) => cert.n === n && cert.commits.filter((c) => c.view === cert.v && c.sequenceNumber === n).length >= this.quorum,
        )
      if (canGetThere) return undefined
    }
    const x = assign(newView.vset, base.n, this.sizes)
    const theirs = pbft.xsetMap(newView.xset)
    if (!x || x.size !== theirs.size || [...x].some(([n, d]) => theirs.get(n) !== d)) {
      this.world.log(`the new view ${newView.view} of ${newView.replicaId} has another assignment`)
      return this.sendViewChange()
    }
    if (this.h < base.n) this.moveWatermarks(base.n)
    if (done < base.n) {
      if (!this.target || this.target.n < base.n) this.target = base
      this.startStateTransfer(base)
    }
    let isNew = false
    for (const [n, d] of theirs) {
      if (n <= this.h || d === '' || this.log.batches.has(d) || this.missing.has(d)) continue
      this.missing.add(d)
      isNew = true
    }
    if (this.missing.size === 0) return this.enter(newView)
    if (isNew)
      for (const digest of this.missing) this.inner.broadcast({ $case: 'fetchRequestBatch', value: { batchDigest: digest, replicaId: this.options.id } })
    return undefined
  }

  private enter(newView: pbft.NewView): Event {
    this.entered++
    this.newViewTimer.stop()
    this.nullTimer.stop()
    this.activeView = true
    this.newViews.delete(this.view - 1)
    this.seqNo = this.h
    const x = [...pbft.xsetMap(newView.xset)]
    for (const [n, d] of x) {
      if (n <= this.h) continue
      const cert = this.log.cert(this.view, n)
      cert.prePrepare = {
        view: this.view,
        sequenceNumber: n,
        batchDigest: d,
        requestBatch: d === '' ? undefined : this.log.batches.get(d),
        replicaId: this.options.id,
      }
      cert.digest = d
      if (n > this.seqNo) this.seqNo = n
      this.persistQ()
    }
    this.updateViewChangeSeqNo()
    this.world.log(`view ${this.view} begins, X ${x.map(([n, d]) => `${n}:${d.slice(0, 6)}`).join()}`)
    if (!this.isPrimary) {
      for (const [n, d] of this.shuffled(x)) {
        const prepare: pbft.Prepare = { view: this.view, sequenceNumber: n, batchDigest: d, replicaId: this.options.id }
        if (n > this.h) {
          this.log.cert(this.view, n).sentPrepare = true
          this.onPrepare(prepare)
        }
        this.inner.broadcast({ $case: 'prepare', value: prepare })
      }
    } else this.resubmitBatches()
    this.startTimerIfOutstanding()
    return { is: 'viewChanged' }
  }

  private onReturned(batch: Batch): Event | undefined {
    const d = batchDigest(batch)
    if (!this.missing.has(d)) return undefined
    this.log.batches.set(d, batch)
    this.store.set(`reqBatch.${d}`, encode(pbft.RequestBatch, batch))
    this.missing.delete(d)
    return this.processNewView()
  }

  private get sizes(): Sizes {
    return { f: this.options.f, quorum: this.quorum, L: this.L }
  }
}
