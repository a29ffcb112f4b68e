import { createPublisher, createSignatureChecks, createSoftTimers } from 'weft/consensus'
import type { DeliveredBlock, Engine, EngineHost, EngineRequest, EngineStart, MemberIndex, TransferResult } from 'weft/consensus'
import { type Block, blockId, blocksOf, type Certificate, compare, domainOf, GENESIS, isNext, quorumsOf, type Reference, voteBytes } from './block.js'
import { CatchUp } from './catch-up.js'
import { Execution, positionOf, proofOf } from './execution.js'
import { encode, type Message, messagesOf } from './messages.js'
import type { HotStuffOptions } from './options.js'
import { Pacemaker } from './pacemaker.js'
import { MAX_BLOCK_BYTES, Requests } from './requests.js'
import { Safety } from './safety.js'
import { Tree } from './tree.js'

/** Who has so many decided blocks to execute takes no further part until it has caught up: so a leader waits for a quorum. */
const MAX_BACKLOG = 32
/** Time-outs that a request may wait while others are executed: the leader passes it over. */
const PATIENCE = 10

/** One member. README.md has the protocol and its proof. */
export class HotStuff implements Engine {
  readonly #domain: string
  readonly #messages
  readonly #tree: Tree
  readonly #safety: Safety
  readonly #requests: Requests
  readonly #execution: Execution
  readonly #pacemaker: Pacemaker
  readonly #catchUp: CatchUp
  readonly #checks
  /** The highest certificate whose blocks are all here, and the highest of all with the member that told of it. */
  #high = GENESIS
  #top = { certificate: GENESIS, from: 0 }
  /** The newest proposal of each member that waits for a view or for blocks. */
  readonly #held = new Map<MemberIndex, Block>()
  /** As leader: the last own proposal of this life, and the votes for it. */
  #proposal: Block | undefined
  #votes = new Map<MemberIndex, Uint8Array>()
  /** Blocks whose votes are being signed. */
  readonly #signing = new Map<string, Reference>()
  readonly #timers
  #told: Reference = GENESIS
  #areSigned: boolean | undefined
  readonly #shown

  constructor(
    private readonly host: EngineHost,
    private readonly options: HotStuffOptions,
    private readonly start: EngineStart,
  ) {
    this.#domain = domainOf(start.epoch, host.members)
    this.#messages = messagesOf(this.#domain)
    this.#tree = new Tree(host, positionOf(start.metadata), blocksOf(this.#domain), start.restored)
    this.#safety = new Safety(host, start.restored.get('state'))
    this.#requests = new Requests(host, options, start.executed)
    this.#execution = new Execution(host, this.#tree, this.#requests, start)
    this.#pacemaker = new Pacemaker(host, options.viewTimeoutMs, this.#safety.voted.view, start.restored.get('wish'), {
      say: () => host.broadcast(this.#status(false)),
      entered: () => this.#viewEntered(),
      isBusy: () => !this.#execution.isSealed && !this.#execution.isTransferring && this.#requests.book.size > 0,
    })
    this.#catchUp = new CatchUp(host, this.#tree, this.#execution, options.viewTimeoutMs / 8)
    this.#checks = createSignatureChecks(host)
    this.#shown = createPublisher(host)
    this.#timers = createSoftTimers<'cut' | 'repeat'>(host)
    host.sign('probe', Buffer.from(this.#domain))
    for (const certificate of [this.#safety.lock, proofOf(start.restored)]) this.#learn(certificate, host.self)
    this.#step()
  }

  onRequest(request: EngineRequest): void {
    if (this.#requests.book.isExecuted(request.id)) return this.host.forget([request.id])
    // What is being executed ends with its block.
    if (this.#execution.isOver(request.id)) return
    this.#requests.add(request, this.host.self)
    const leader = this.#leader(this.#pacemaker.view)
    if (leader !== this.host.self) this.host.send(leader, encode({ type: 'requests', requests: [request] }))
    this.#step(true)
  }

  onMessage(from: MemberIndex, bytes: Uint8Array): void {
    const message = this.#messages.decode(bytes)
    if (!message) return this.host.log('warning', `a message of member ${from} is dropped: it is none of this engine's`)
    if (message.type === 'proposal') return this.#onProposal(from, message.block)
    if (message.type === 'vote') return this.#onVote(from, message.for, message.signature)
    if (message.type === 'status') return this.#ifCertified(from, message.high, (high) => this.#onStatus(from, { ...message, high }))
    if (message.type === 'fetch') return this.#catchUp.onFetch(from, message)
    if (message.type === 'heads') return this.#catchUp.onHeads(from, message.heads)
    if (message.type === 'blocks') for (const block of this.#catchUp.takeWanted(message.blocks)) this.#tree.add(block, this.#tips())
    else for (const request of message.requests) if (!this.#execution.isOver(request.id)) this.#requests.add(request, from)
    this.#step(message.type === 'requests')
  }

  onPeer(member: MemberIndex, isUp: boolean): void {
    if (!isUp) return
    this.host.send(member, this.#status(false))
    if (this.#proposal?.view === this.#pacemaker.view) this.#sendProposal(this.#proposal, member)
    if (member === this.#leader(this.#pacemaker.view)) this.#requests.tell(member)
  }

  onTimer(name: string): void {
    this.#timers.fired(name)
    if (name === 'view') this.#pacemaker.onTimer()
    else if (name === 'fetch') this.#catchUp.onTimer()
    else if (name === 'repeat') this.#requests.repeat(this.#leader(this.#pacemaker.view))
    this.#step()
  }

  onDelivered(tag: string, block: DeliveredBlock | 'skipped'): void {
    if (this.#execution.onDelivered(tag, block)) this.#progress()
    this.#step()
  }

  onTransferred(result: TransferResult): void {
    if (result.reached) this.#requests.transferred(result.executed)
    else this.host.log('warning', `the state could not be transferred: ${result.reason}`)
    this.#execution.transferred(result.reached ? positionOf(result.metadata) : this.#execution.position)
    // Certificates of the blocks that came are known to others.
    this.host.broadcast(this.#status(false))
    this.#step()
  }

  onSigned(token: string, signature: Uint8Array): void {
    if (token === 'probe') return this.#probed(signature)
    const reference = this.#signing.get(token)
    this.#signing.delete(token)
    if (!reference) return
    const { view, seq, id } = reference
    const leader = this.#leader(view)
    if (leader === this.host.self) this.#count(this.host.self, reference, signature)
    else this.host.send(leader, encode({ type: 'vote', for: reference, signature }), { vote: { slot: `vote ${view} ${seq}`, value: id } })
    this.#step()
  }

  onVerified(token: string, verdicts: readonly boolean[]): void {
    this.#checks.onVerified(token, verdicts)
    this.#step()
  }

  onSealed(): void {
    this.#execution.seal()
    this.#step()
  }

  #leader(view: number): MemberIndex {
    const { length } = this.host.members
    return ((this.start.firstLeader ?? Number(this.start.epoch % BigInt(length))) + view) % length
  }

  /** Goes on with the own copy of a certificate if it is known, whose signatures hold, else checks them. */
  #ifCertified(from: MemberIndex, certificate: Certificate, then: (own: Certificate) => void): void {
    const known = [GENESIS, this.#high, this.#top.certificate, this.#safety.lock].find(({ id }) => id === certificate.id)
    if (known) return compare(known, certificate) === 0 ? then(known) : undefined
    const voters = new Set(certificate.signatures.map(({ member }) => member).filter((member) => member < this.host.members.length))
    if (voters.size !== certificate.signatures.length || voters.size < quorumsOf(this.host.members.length).quorum) return
    const bytes = voteBytes(this.#domain, certificate)
    const items = certificate.signatures.map(({ member, signature }) => ({ member, bytes, signature }))
    this.#checks.check(from, items, (hold) => {
      if (hold) then(certificate)
      else this.host.log('warning', `a message of member ${from} is dropped: its certificate is false`)
    })
  }

  /** A certificate is known to hold. */
  #learn(certificate: Certificate, from: MemberIndex): void {
    if (compare(certificate, this.#top.certificate) > 0) this.#top = { certificate, from }
    this.#pacemaker.enter(certificate.view)
    if (this.#execution.backlog < MAX_BACKLOG) this.#adopt(certificate)
  }

  /** Makes a certificate the highest, if all its blocks are here, and decides what it decides. Returns what is missing. */
  #adopt(certificate: Certificate): Reference | undefined {
    if (compare(certificate, this.#high) <= 0 || compare(certificate, this.#tree.decided) < 0) return undefined
    const { blocks, missing, isJoined } = this.#tree.branch(certificate)
    if (missing) return missing
    if (!isJoined) {
      this.host.halt(`a certified block of view ${certificate.view} contradicts what is decided: more members are faulty than this engine bears`)
      return undefined
    }
    this.#high = certificate
    const decided = blocks.find((block) => isNext(block.parent, block))?.parent
    if (!decided || compare(decided, this.#tree.decided) <= 0) return undefined
    this.#execution.decide(blocks.filter((block) => compare(block, decided) <= 0).reverse(), certificate)
    this.#progress()
    return undefined
  }

  /** The view's time begins anew, unless the leader passes somebody over. */
  #progress(): void {
    const [oldest] = this.#requests.book.unqueued()
    const oldestAt = oldest?.content.arrivedAt ?? this.host.now
    const isCensored = this.#leader(this.#pacemaker.view) !== this.host.self && this.host.now - oldestAt > PATIENCE * this.options.viewTimeoutMs
    if (!isCensored) this.#pacemaker.progress()
  }

  #onProposal(from: MemberIndex, block: Block): void {
    const { view, requests, parent } = block
    const size = requests.reduce((sum, { bytes }) => sum + bytes.length, 0)
    const isSound = requests.length <= this.options.batchSize && (requests.length <= 1 || size <= MAX_BLOCK_BYTES) && compare(block, parent) > 0
    if (!isSound || from !== this.#leader(view) || from === this.host.self || view < this.#pacemaker.view) return
    this.#ifCertified(from, parent, (own) => {
      const before = this.#held.get(from)
      if (!before || compare(block, before) > 0) this.#held.set(from, { ...block, parent: own })
      this.#learn(own, from)
    })
    this.#step()
  }

  #onStatus(from: MemberIndex, { wish, high, isAnswer }: Message & { type: 'status' }): void {
    this.#pacemaker.heard(from, wish)
    this.#learn(high, from)
    const isBehind = wish < this.#pacemaker.view || compare(high, this.#high) < 0
    if (isBehind && !isAnswer) this.host.send(from, this.#status(true))
    this.#step()
  }

  #onVote(from: MemberIndex, { id }: Reference, signature: Uint8Array): void {
    const proposal = this.#proposal
    if (id !== proposal?.id || this.#votes.has(from)) return
    const item = { member: from, bytes: voteBytes(this.#domain, proposal), signature }
    this.#checks.check(from, [item], (holds) => {
      if (holds) this.#count(from, proposal, signature)
    })
  }

  /** A vote holds. A quorum of them certifies the proposal. */
  #count(from: MemberIndex, { id, view, seq }: Reference, signature: Uint8Array): void {
    if (id !== this.#proposal?.id || compare(this.#proposal, this.#high) <= 0) return
    this.#votes.set(from, signature)
    const { quorum } = quorumsOf(this.host.members.length)
    if (this.#votes.size >= quorum)
      this.#learn({ view, seq, id, signatures: [...this.#votes].slice(0, quorum).map(([member, signature]) => ({ member, signature })) }, this.host.self)
  }

  /** What follows from what is known now: decide, vote, propose, ask for what is missing, watch the clock. */
  #step(isGathering = false): void {
    if (this.#execution.backlog < MAX_BACKLOG && !this.#execution.isTransferring) {
      const { certificate, from } = this.#top
      const missing = this.#adopt(certificate)
      const missingToo = this.#consider()
      if (!this.#catchUp.want(missing ?? missingToo, missing ? from : this.#leader(this.#pacemaker.view))) {
        this.#top = { certificate: this.#high, from: this.host.self }
        this.#held.clear()
      }
      this.#propose(isGathering)
    }
    this.#pacemaker.watch()
    if (this.#requests.book.size > 0 && !this.#execution.isSealed) this.#timers.softStart('repeat', this.options.viewTimeoutMs / 2)
    if (!isGathering) this.#publish()
  }

  /** Votes for the proposal of the present leader, if its blocks are here. Returns what is missing. */
  #consider(): Reference | undefined {
    const leader = this.#leader(this.#pacemaker.view)
    const block = this.#held.get(leader)
    if (block?.view !== this.#pacemaker.view) return undefined
    const { missing, isJoined } = this.#tree.branch(block.parent)
    if (missing) return missing
    this.#held.delete(leader)
    if (block.id === this.#safety.voted.id) this.#sign(block)
    else if (!this.#safety.isLater(block)) return undefined
    // The leader knows less than this member.
    else if (!isJoined || !this.#safety.isUnlocked(block) || !this.#isUseful(block)) this.host.send(leader, this.#status(true))
    else this.#vote(block)
    return undefined
  }

  /** Nothing in it is executed, or ordered already, or there twice. A block without requests serves only to decide others that have some. */
  #isUseful({ parent, requests }: Block): boolean {
    const { blocks } = this.#tree.branch(parent)
    this.#requests.rebase(parent.id, () => blocks)
    if (requests.length === 0) return blocks.some((block) => block.requests.length > 0)
    const ids = new Set(requests.map(({ id }) => id))
    return ids.size === requests.length && !requests.some(({ id }) => this.#requests.inBranch.has(id) || this.#execution.isOver(id))
  }

  #vote(block: Block): void {
    this.#tree.add(block, this.#tips())
    this.#safety.record(block)
    this.#requests.extend(block)
    this.#sign(block)
  }

  #sign(block: Block): void {
    this.#signing.set(block.id, { view: block.view, seq: block.seq, id: block.id })
    this.host.sign(block.id, voteBytes(this.#domain, block))
  }

  /** As leader: a block with requests at once or when it pays; without, as long as some that were proposed are not decided. */
  #propose(isGathering: boolean): void {
    const { view } = this.#pacemaker
    const last = this.#proposal?.view === view ? this.#proposal : undefined
    const hasProposed = last !== undefined && compare(this.#high, last.parent) <= 0
    const isLow = compare(this.#high, this.#safety.lock) < 0 || compare(this.#high, this.#tree.decided) < 0
    if (this.#leader(view) !== this.host.self || hasProposed || isLow) return
    const { blocks } = this.#tree.branch(this.#high)
    this.#requests.rebase(this.#high.id, () => blocks)
    const undecided = blocks.filter(({ requests }) => requests.length > 0).length
    const isFull = this.#execution.isSealed || undecided + this.#execution.backlog >= this.host.deliveryWindow
    const { requests, waitMs } = isFull ? { requests: [] } : this.#requests.cut(isGathering)
    if (waitMs !== undefined) this.#timers.softStart('cut', waitMs)
    if (requests.length === 0 && undecided === 0) return this.#tellHigh()
    const { voted } = this.#safety
    const seq = Math.max(voted.view === view ? voted.seq : 0, this.#high.view === view ? this.#high.seq : 0) + 1
    const content = { view, seq, parent: this.#high, requests }
    this.#proposal = { ...content, id: blockId(this.#domain, content) }
    this.#votes = new Map()
    this.#vote(this.#proposal)
    for (const { index } of this.host.members) if (index !== this.host.self) this.#sendProposal(this.#proposal, index)
  }

  #sendProposal(block: Block, to: MemberIndex): void {
    this.host.send(to, encode({ type: 'proposal', block }), { vote: { slot: `proposal ${block.view} ${block.seq}`, value: block.id } })
  }

  /** Nothing is proposed that would carry the highest certificate to the others. */
  #tellHigh(): void {
    if (compare(this.#high, this.#told) <= 0) return
    this.#told = this.#high
    this.host.broadcast(this.#status(true))
  }

  #viewEntered(): void {
    this.#requests.rebase(this.#high.id, () => this.#tree.branch(this.#high).blocks)
    this.#requests.tell(this.#leader(this.#pacemaker.view))
  }

  #status(isAnswer: boolean): Uint8Array {
    return encode({ type: 'status', wish: this.#pacemaker.wish, high: this.#top.certificate, isAnswer })
  }

  #probed(signature: Uint8Array): void {
    this.#areSigned = Buffer.compare(signature, Buffer.from(this.#domain)) !== 0
    if (!this.#areSigned) this.host.log('warning', 'the network has no signatures: faulty members are borne as long as they do not forge votes of others')
    this.#publish()
  }

  /** What `peer consensus status` shows, and the metrics. */
  #publish(): void {
    const { view, wish } = this.#pacemaker
    const { backlog } = this.#execution
    const { members } = this.host
    const rank = ({ view: inView, seq }: Reference): string => `${inView}.${seq}`
    const chain = { certified: rank(this.#high), locked: rank(this.#safety.lock), voted: rank(this.#safety.voted), decided: rank(this.#tree.decided) }
    const waiting = this.#requests.book.size
    this.#shown({
      facts: { view, leader: members[this.#leader(view)]?.id, wish, ...chain, executed: rank(this.#execution.position), signatures: this.#areSigned },
      more: () => ({ quorum: quorumsOf(members.length).quorum, waiting, backlog }),
      metrics: { hotstuff_view: view, hotstuff_backlog: backlog, hotstuff_requests_waiting: waiting },
    })
  }

  #tips(): Reference[] {
    return [this.#high, this.#safety.lock, this.#top.certificate]
  }
}
