import type {
  DeliveredBlock,
  Engine,
  EngineFactory,
  EngineHost,
  EngineRequest,
  EngineStart,
  MemberIndex,
  TransferResult,
  VoteMark,
} from '../../../plugins/consensus/index.js'
import { digestOf, keyOf, type Claim, type Message, readMessage, type SignedClaim, signedItems, type Slot, slotsOf, Votes } from './pbft-messages.js'
import { digest, fromWire, pack, toWire, unpack, type WireRequest } from './wire.js'

// LEARNING SKELETON, NOT A PRODUCT: it exists to show that the engine interface carries PBFT (docs/adr/0001-engine-interface.md).
// Left out: Q sets, proofs of P and of checkpoints in view changes. The v0.6 engine is plugins/pbft.

const CHECKPOINT_EVERY = 8
const LOG_SIZE = 32
const KEPT_BEHIND = 40
const IN_FLIGHT = 2
const SYNC_MS = 150
const PATIENCE_MS = 400
const NOTHING = new Uint8Array()

class Pbft implements Engine {
  readonly #f: number
  #view: number
  #isActive: boolean
  #patienceMs = PATIENCE_MS
  #assigned = 0
  #stable: number
  #executed: number
  /** Requests of the delivery that has not been answered; one at a time. */
  readonly #delivering = new Set<string>()
  #isTransferring = false
  #checkpoint: (Message & { t: 'checkpoint' }) | undefined
  #newView: (Message & { t: 'new-view' }) | undefined
  readonly #slots = new Map<number, Slot>()
  readonly #votes = new Votes()
  readonly #claims = new Map<MemberIndex, SignedClaim>()
  /** Outstanding requests of all members. */
  readonly #pool = new Map<string, EngineRequest>()
  readonly #own = new Set<string>()
  readonly #done = new Set<string>()

  constructor(
    private readonly host: EngineHost,
    { metadata, restored }: EngineStart,
  ) {
    this.#f = Math.floor((host.members.length - 1) / 3)
    const view = unpack<{ view: number; isActive: boolean; stable: number }>(restored.get('view')) ?? { view: 0, isActive: true, stable: 0 }
    this.#view = view.view
    this.#isActive = view.isActive
    this.#stable = view.stable
    this.#executed = metadata === undefined ? 0 : Number(Buffer.from(metadata).toString())
    this.#newView = unpack<Message & { t: 'new-view' }>(restored.get('new-view'))
    for (const [key, bytes] of restored) {
      const slot = key.startsWith('slot.') ? unpack<Slot>(bytes) : undefined
      if (slot) this.#restore(Number(key.slice('slot.'.length)), slot)
    }
    host.setTimer('sync', SYNC_MS)
    if (!this.#isActive) host.setTimer('patience', this.#patienceMs)
    this.#execute()
  }

  #restore(n: number, slot: Slot): void {
    this.#slots.set(n, slot)
    this.#assigned = Math.max(this.#assigned, n)
    if (n <= this.#executed) for (const [id] of slot.requests) this.#done.add(id)
    for (const kind of this.#saidOf(slot)) this.#votes.add(this.host.self, kind, slot.view, n, slot.digest)
  }

  /** What was said of a slot follows from its record: nothing was sent that was not on disk. */
  #saidOf(slot: Slot): ('prepare' | 'commit')[] {
    return [...(this.#primary(slot.view) === this.host.self ? [] : (['prepare'] as const)), ...(slot.prepared?.view === slot.view ? (['commit'] as const) : [])]
  }

  onRequest(request: EngineRequest): void {
    if (this.#done.has(request.id)) return this.#forget(request.id)
    this.#own.add(request.id)
    this.#add(request)
    this.host.broadcast(pack({ t: 'request', request: toWire(request) } satisfies Message))
  }

  /** It was executed before it was submitted again here: nobody would ever end it. What is being delivered ends with its block. */
  #forget(id: string): void {
    if (!this.#delivering.has(id)) this.host.forget([id])
  }

  onPeer(member: MemberIndex, up: boolean): void {
    if (!up) return
    for (const request of this.#pool.values()) if (this.#own.has(request.id)) this.#send(member, { t: 'request', request: toWire(request) })
    this.#send(member, this.#status())
  }

  onTimer(name: string): void {
    if (name === 'patience') {
      // Who is further has left this view for good, and says so no more.
      const isAgreed = [...this.#claims.values()].filter(({ claim }) => claim.view >= this.#view).length > 2 * this.#f
      this.#changeView(this.#isActive || isAgreed ? this.#view + 1 : this.#view)
    }
    if (name !== 'sync') return
    this.host.setTimer('sync', SYNC_MS)
    this.host.broadcast(pack(this.#status()))
  }

  onDelivered(tag: string, block: DeliveredBlock | 'skipped'): void {
    this.#delivering.clear()
    const n = Number(tag)
    if (block === 'skipped') this.#executed = n - 1
    else if (n % CHECKPOINT_EVERY === 0) {
      this.#checkpoint = { t: 'checkpoint', n, height: String(block.head.height), hash: Buffer.from(block.head.hash).toString('base64') }
      this.host.broadcast(pack(this.#checkpoint))
      this.#countCheckpoint(this.host.self, this.#checkpoint)
    }
    this.#patienceMs = PATIENCE_MS
    this.#execute()
  }

  onTransferred(result: TransferResult): void {
    this.#isTransferring = false
    if (result.reached) {
      this.#executed = Math.max(this.#executed, Number(Buffer.from(result.metadata ?? NOTHING).toString()))
      // Which of them the new blocks hold is not known here: the host hands over again what is open, others say theirs in answer to a status.
      this.#pool.clear()
      this.#own.clear()
    }
    this.#execute()
  }

  onMessage(from: MemberIndex, bytes: Uint8Array): void {
    const message = readMessage(bytes)
    switch (message?.t) {
      case 'request':
        return this.#add(fromWire(message.request))
      case 'pre-prepare':
        if (from === this.#primary() && message.view === this.#view && this.#isActive) this.#accept(message.n, message.requests)
        return
      case 'prepare':
      case 'commit':
        this.#votes.add(from, message.t, message.view, message.n, message.digest)
        return this.#progress(message.n)
      case 'checkpoint':
        return this.#countCheckpoint(from, message)
      case 'view-change':
        // The token carries what was asked, so that nothing has to be remembered for the answer.
        return this.host.verify(JSON.stringify([message.signed]), signedItems([message.signed]))
      case 'new-view':
        if (this.#isNews(message.view)) this.host.verify(JSON.stringify(message.claims), signedItems(message.claims))
        return
      case 'status':
        return this.#help(from, message)
      case 'done':
        return this.#countDone(from, message.n, message.requests)
      case undefined:
        return
    }
  }

  onSigned(token: string, signature: Uint8Array): void {
    const claim = unpack<Claim>(Buffer.from(token))
    if (claim?.view !== this.#view || this.#isActive) return
    const signed: SignedClaim = { from: this.host.self, claim, signature: Buffer.from(signature).toString('base64') }
    this.host.broadcast(pack({ t: 'view-change', signed } satisfies Message))
    this.#countClaim(signed)
  }

  onVerified(token: string, verdicts: readonly boolean[]): void {
    const claims: readonly SignedClaim[] = JSON.parse(token)
    if (!verdicts.every(Boolean)) return
    if (claims.length > 1) this.#enter(claims)
    else for (const signed of claims) this.#countClaim(signed)
  }

  #primary(view = this.#view): MemberIndex {
    return view % this.host.members.length
  }

  #add(request: EngineRequest): void {
    if (this.#done.has(request.id)) return
    this.#pool.set(request.id, request)
    if (this.#pool.size === 1 && this.#isActive) this.host.setTimer('patience', this.#patienceMs)
    this.#propose()
  }

  #propose(): void {
    if (this.#primary() !== this.host.self || !this.#isActive || this.#isTransferring) return
    this.#assigned = Math.max(this.#assigned, this.#executed)
    if (this.#assigned - this.#executed >= IN_FLIGHT || this.#assigned >= this.#stable + LOG_SIZE) return
    const assigned = new Set([...this.#slots].filter(([n]) => n > this.#executed).flatMap(([, { requests }]) => requests.map(([id]) => id)))
    const requests = [...this.#pool.values()].filter(({ id }) => !assigned.has(id)).map(toWire)
    if (requests.length === 0) return
    const n = ++this.#assigned
    this.host.broadcast(pack({ t: 'pre-prepare', view: this.#view, n, requests } satisfies Message), this.#mark('pre-prepare', n, digestOf(requests)))
    this.#accept(n, requests)
  }

  #mark(kind: string, n: number, value: string): { readonly vote: VoteMark } {
    return { vote: { slot: `${kind} view ${this.#view} number ${n}`, value } }
  }

  /** What the primary of this view, or its new-view, says of a number. Also for executed numbers: others may still need the votes. */
  #accept(n: number, requests: readonly WireRequest[]): void {
    const known = this.#slots.get(n)
    if (n > this.#stable + LOG_SIZE || known?.view === this.#view) return
    this.#set(n, { view: this.#view, requests, digest: digestOf(requests), committed: known?.committed ?? n <= this.#executed, prepared: known?.prepared })
    if (this.#primary() !== this.host.self) this.#say('prepare', n)
    this.#progress(n)
  }

  #set(n: number, slot: Slot): Slot {
    this.#slots.set(n, slot)
    this.host.put(keyOf(n), pack(slot))
    return slot
  }

  #say(kind: 'prepare' | 'commit', n: number): void {
    const value = this.#slots.get(n)?.digest ?? ''
    this.host.broadcast(pack({ t: kind, view: this.#view, n, digest: value } satisfies Message), this.#mark(kind, n, value))
    this.#votes.add(this.host.self, kind, this.#view, n, value)
  }

  #progress(n: number): void {
    let slot = this.#slots.get(n)
    if (slot?.view !== this.#view || !this.#isActive) return
    if (slot.prepared?.view !== this.#view && this.#votes.of('prepare', slot.view, n, slot.digest).size >= 2 * this.#f) {
      slot = this.#set(n, { ...slot, prepared: { view: slot.view, requests: slot.requests } })
      this.#say('commit', n)
    }
    if (slot.committed || slot.prepared?.view !== this.#view || this.#votes.of('commit', slot.view, n, slot.digest).size <= 2 * this.#f) return
    this.#set(n, { ...slot, committed: true })
    this.#execute()
  }

  #execute(): void {
    while (this.#delivering.size === 0 && !this.#isTransferring) {
      const slot = this.#slots.get(this.#executed + 1)
      if (slot?.committed !== true) break
      const n = ++this.#executed
      for (const [id] of slot.requests) {
        this.#done.add(id)
        this.#pool.delete(id)
      }
      if (this.#isActive) this.#wait()
      // A null request uses a number and makes no block: the metadata tells number and height apart after a restart.
      if (slot.requests.length === 0) continue
      for (const [id] of slot.requests) this.#delivering.add(id)
      this.host.deliver(String(n), slot.requests.map(fromWire), { metadata: Buffer.from(String(n)) })
    }
    this.#propose()
    this.host.status({
      view: this.#view,
      primary: this.#primary(),
      isActive: this.#isActive,
      executed: this.#executed,
      stable: this.#stable,
      pool: this.#pool.size,
    })
  }

  #wait(): void {
    if (this.#pool.size === 0) this.host.cancelTimer('patience')
    else this.host.setTimer('patience', this.#patienceMs)
  }

  #countCheckpoint(from: MemberIndex, { n, height, hash }: Message & { t: 'checkpoint' }): void {
    const count = this.#votes.add(from, 'checkpoint', n, height, hash)
    if (count > this.#f && n > this.#executed + LOG_SIZE && !this.#isTransferring) {
      this.#isTransferring = true
      this.host.transferTo({ height: BigInt(height), hash: Buffer.from(hash, 'base64'), members: [...this.#votes.of('checkpoint', n, height, hash)] })
    }
    if (count <= 2 * this.#f || n <= this.#stable || n > this.#executed) return
    this.#stable = n
    this.#storeView()
    for (const old of [...this.#slots.keys()].filter((old) => old <= n - KEPT_BEHIND)) this.#drop(old)
    this.#propose()
  }

  #drop(n: number): void {
    this.#slots.delete(n)
    this.host.delete(keyOf(n))
  }

  #storeView(): void {
    this.host.put('view', pack({ view: this.#view, isActive: this.#isActive, stable: this.#stable }))
  }

  #changeView(view: number): void {
    if (view > this.#view || this.#isActive) this.#patienceMs *= 2
    this.#view = view
    this.#isActive = false
    this.#storeView()
    this.host.setTimer('patience', this.#patienceMs)
    const claim: Claim = {
      view,
      stable: this.#stable,
      prepared: [...this.#slots].flatMap(([n, { prepared }]) => (prepared && n > this.#stable ? [[n, prepared] as const] : [])),
    }
    this.host.sign(Buffer.from(pack(claim)).toString(), pack(claim))
  }

  #isNews(view: number): boolean {
    return view > this.#view || (view === this.#view && !this.#isActive)
  }

  #countClaim(signed: SignedClaim): void {
    if (signed.claim.view < (this.#claims.get(signed.from)?.claim.view ?? 0)) return
    this.#claims.set(signed.from, signed)
    const ahead = [...this.#claims.values()].map(({ claim }) => claim.view).filter((view) => view > this.#view)
    if (ahead.length > this.#f) return this.#changeView(Math.min(...ahead))
    const claims = [...this.#claims.values()].filter(({ claim }) => claim.view === this.#view)
    if (this.#isActive || this.#primary() !== this.host.self || claims.length <= 2 * this.#f) return
    this.host.broadcast(pack({ t: 'new-view', view: this.#view, claims } satisfies Message), this.#mark('new-view', 0, digest(JSON.stringify(claims))))
    this.#enter(claims)
  }

  #enter(claims: readonly SignedClaim[]): void {
    const view = claims[0]?.claim.view ?? -1
    if (!this.#isNews(view) || new Set(claims.map(({ from }) => from)).size <= 2 * this.#f || claims.some(({ claim }) => claim.view !== view)) return
    this.#view = view
    this.#isActive = true
    this.#newView = { t: 'new-view', view, claims }
    this.#storeView()
    this.host.put('new-view', pack(this.#newView))
    const { base, slots } = slotsOf(claims)
    this.#assigned = base + slots.length
    for (const [n, { committed }] of this.#slots) if (n > this.#assigned && !committed) this.#drop(n)
    slots.forEach((requests, offset) => this.#accept(base + 1 + offset, requests))
    this.#wait()
    this.#propose()
  }

  #status(): Message & { t: 'status' } {
    return { t: 'status', view: this.#view, isActive: this.#isActive, executed: this.#executed }
  }

  /** Somebody told how far it is: what a broken link or a crash lost is said again. */
  #help(to: MemberIndex, { view, isActive, executed }: Message & { t: 'status' }): void {
    const claim = this.#claims.get(this.host.self)
    if (!this.#isActive && claim?.claim.view === this.#view) this.#send(to, { t: 'view-change', signed: claim })
    if (this.#isActive && this.#newView && (view < this.#view || (view === this.#view && !isActive))) this.#send(to, this.#newView)
    if (this.#checkpoint) this.#send(to, this.#checkpoint)
    for (const request of this.#pool.values()) if (this.#own.has(request.id)) this.#send(to, { t: 'request', request: toWire(request) })
    for (const [n, slot] of this.#slots) {
      if (n <= executed || n > executed + LOG_SIZE) continue
      if (slot.committed) this.#send(to, { t: 'done', n, requests: slot.requests })
      if (slot.view !== this.#view || !this.#isActive) continue
      if (this.#primary() === this.host.self) this.#send(to, { t: 'pre-prepare', view: slot.view, n, requests: slot.requests })
      for (const kind of this.#saidOf(slot)) this.#send(to, { t: kind, view: slot.view, n, digest: slot.digest })
    }
  }

  /** f + 1 members say that a number is committed with this content: one of them is right. */
  #countDone(from: MemberIndex, n: number, requests: readonly WireRequest[]): void {
    const known = this.#slots.get(n)
    if (n <= this.#executed || known?.committed === true || this.#votes.add(from, 'done', n, digestOf(requests)) <= this.#f) return
    this.#set(n, { view: this.#view, requests, digest: digestOf(requests), committed: true, prepared: known?.prepared })
    this.#assigned = Math.max(this.#assigned, n)
    this.#execute()
  }

  #send(to: MemberIndex, message: Message): void {
    this.host.send(to, pack(message))
  }
}

export const pbftSkeleton: EngineFactory<undefined> = {
  name: 'pbft-skeleton',
  version: '0.0.0',
  agreement: true,
  // It believes what a view change says was prepared: it bears nobody who lies.
  tolerates: (n) => ({ crashed: Math.floor((n - 1) / 3), byzantine: 0 }),
  parseOptions: () => undefined,
  create: (host, _options, start) => new Pbft(host, start),
}
