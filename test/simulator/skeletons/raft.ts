import type { DeliveredBlock, Engine, EngineFactory, EngineHost, EngineRequest, EngineStart, MemberIndex } from '../../../plugins/consensus/index.js'
import { fromWire, hasFields, pack, toWire, unpack, type WireRequest } from './wire.js'

// LEARNING SKELETON, NOT A PRODUCT: it exists to show that the engine interface carries Raft (docs/adr/0001-engine-interface.md).
// Left out: log compaction, pre-vote, membership changes.

interface Entry {
  readonly term: number
  readonly requests: readonly WireRequest[]
}

type Message =
  | { readonly t: 'request'; readonly request: WireRequest }
  | { readonly t: 'vote?'; readonly term: number; readonly last: number; readonly lastTerm: number }
  | { readonly t: 'vote'; readonly term: number; readonly yes: boolean }
  | {
      readonly t: 'append'
      readonly term: number
      readonly before: number
      readonly beforeTerm: number
      readonly entries: readonly Entry[]
      readonly commit: number
    }
  | { readonly t: 'appended'; readonly term: number; readonly ok: boolean; readonly last: number }

const HEARTBEAT_MS = 50
const ELECTION_MS = 200
const IN_FLIGHT = 4
const ENTRIES_PER_MESSAGE = 16
const keyOf = (index: number): string => `log.${String(index).padStart(10, '0')}`

/** Undefined for what no member would send. */
function readMessage(bytes: Uint8Array): Message | undefined {
  const message = unpack<Message>(bytes)
  switch (message?.t) {
    case 'request':
      return hasFields(message, { request: 'request' }) ? message : undefined
    case 'vote?':
      return hasFields(message, { term: 'number', last: 'number', lastTerm: 'number' }) ? message : undefined
    case 'vote':
      return hasFields(message, { term: 'number', yes: 'boolean' }) ? message : undefined
    case 'appended':
      return hasFields(message, { term: 'number', ok: 'boolean', last: 'number' }) ? message : undefined
    case 'append': {
      const isWhole = hasFields(message, { term: 'number', before: 'number', beforeTerm: 'number', entries: 'objects', commit: 'number' })
      return isWhole && message.entries.every((entry) => hasFields(entry, { term: 'number', requests: 'requests' })) ? message : undefined
    }
    case undefined:
      break
  }
  return undefined
}

class Raft implements Engine {
  #term = 0
  #votedFor: MemberIndex | undefined
  /** The entry of index i is at i - 1. */
  readonly #log: Entry[] = []
  #commit: number
  #delivered: number
  /** Requests of the delivery that has not been answered; one at a time. */
  readonly #delivering = new Set<string>()
  readonly #executed = new Set<string>()
  #role: 'follower' | 'candidate' | 'leader' = 'follower'
  #leader: MemberIndex | undefined
  #votes = new Set<MemberIndex>()
  #next: number[] = []
  #match: number[] = []
  /** Own requests not yet in a block and, at the leader, those that others sent. */
  readonly #pool = new Map<string, EngineRequest>()
  readonly #logged = new Set<string>()
  /** What others sent while it was in the log and had not been delivered here: they may know already that it was rejected, and ask again. */
  readonly #askedAgain = new Map<string, EngineRequest>()

  constructor(
    private readonly host: EngineHost,
    start: EngineStart,
  ) {
    const hard = unpack<{ term: number; votedFor: MemberIndex | undefined }>(start.restored.get('hard'))
    this.#term = hard?.term ?? 0
    this.#votedFor = hard?.votedFor
    for (let index = 1; ; index += 1) {
      const entry = unpack<Entry>(start.restored.get(keyOf(index)))
      if (entry === undefined) break
      this.#log.push(entry)
      for (const [id] of entry.requests) this.#logged.add(id)
    }
    this.#delivered = start.metadata === undefined ? 0 : Number(Buffer.from(start.metadata).toString())
    this.#commit = this.#delivered
    const inChain = new Set(start.executed)
    for (const { requests } of this.#log.slice(0, this.#delivered)) {
      // What was rejected is in no block: whoever brings it again knows nothing of it.
      for (const [id] of requests) if (inChain.has(id)) this.#executed.add(id)
      for (const [id] of requests) if (!inChain.has(id)) this.#logged.delete(id)
    }
    this.#awaitLeader()
  }

  onRequest(request: EngineRequest): void {
    // It was executed before it was submitted again here: nobody would ever end it. What is being delivered ends with its block.
    if (this.#executed.has(request.id) && !this.#delivering.has(request.id)) return this.host.forget([request.id])
    this.#pool.set(request.id, request)
    if (this.#role === 'leader') this.#propose()
    else if (this.#leader !== undefined) this.#send(this.#leader, { t: 'request', request: toWire(request) })
  }

  onPeer(member: MemberIndex, up: boolean): void {
    if (up && member === this.#leader) this.#forwardAll()
    if (up && this.#role === 'leader') this.#replicate(member)
  }

  onTimer(name: string): void {
    if (name === 'heartbeat' && this.#role === 'leader') this.#lead()
    if (name === 'election' && this.#role !== 'leader') this.#campaign()
  }

  onDelivered(_tag: string, block: DeliveredBlock | 'skipped'): void {
    const ids = [...this.#delivering]
    this.#delivering.clear()
    if (block === 'skipped') return
    // In no block: whoever brings one again knows nothing of it, and waits.
    for (const id of block.rejected ?? []) {
      for (const known of [this.#logged, this.#executed]) known.delete(id)
      const again = this.#askedAgain.get(id)
      if (again) this.#pool.set(id, again)
    }
    for (const id of ids) this.#askedAgain.delete(id)
    this.#deliver()
    if (this.#role === 'leader') this.#propose()
  }

  onMessage(from: MemberIndex, bytes: Uint8Array): void {
    const message = readMessage(bytes)
    if (message === undefined) return
    if (message.t === 'request') {
      const request = fromWire(message.request)
      if (!this.#logged.has(request.id)) this.#pool.set(request.id, request)
      else if (this.#delivering.has(request.id) || !this.#executed.has(request.id)) this.#askedAgain.set(request.id, request)
      if (this.#role === 'leader') this.#propose()
      return
    }
    if (message.term > this.#term) this.#follow(message.term)
    if (message.t === 'vote?') this.#answerCandidate(from, message)
    else if (message.t === 'append') this.#append(from, message)
    else if (message.t === 'vote') this.#countVote(from, message)
    else this.#countAppended(from, message)
  }

  #awaitLeader(): void {
    this.host.setTimer('election', ELECTION_MS * (1 + this.host.random()))
  }

  #follow(term: number): void {
    this.#term = term
    this.#votedFor = undefined
    this.#role = 'follower'
    this.#leader = undefined
    this.host.cancelTimer('heartbeat')
    this.#persistVote()
    this.#awaitLeader()
  }

  #persistVote(): void {
    this.host.put('hard', pack({ term: this.#term, votedFor: this.#votedFor }))
  }

  #campaign(): void {
    this.#term += 1
    this.#role = 'candidate'
    this.#leader = undefined
    this.#votedFor = this.host.self
    this.#votes = new Set([this.host.self])
    this.#persistVote()
    this.#awaitLeader()
    const last = this.#log.length
    this.host.broadcast(
      pack({ t: 'vote?', term: this.#term, last, lastTerm: this.#log[last - 1]?.term ?? 0 } satisfies Message),
      this.#voteMark(this.host.self),
    )
    this.#leadIfElected()
  }

  #voteMark(candidate: MemberIndex): { readonly vote: { readonly slot: string; readonly value: string } } {
    return { vote: { slot: `term ${this.#term}`, value: String(candidate) } }
  }

  #answerCandidate(from: MemberIndex, { term, last, lastTerm }: Message & { t: 'vote?' }): void {
    const myLast = this.#log.length
    const myLastTerm = this.#log[myLast - 1]?.term ?? 0
    const isUpToDate = lastTerm > myLastTerm || (lastTerm === myLastTerm && last >= myLast)
    const yes = term === this.#term && isUpToDate && (this.#votedFor === undefined || this.#votedFor === from)
    if (yes) {
      this.#votedFor = from
      this.#persistVote()
      this.#awaitLeader()
    }
    this.#send(from, { t: 'vote', term: this.#term, yes }, yes ? this.#voteMark(from) : {})
  }

  #countVote(from: MemberIndex, { term, yes }: Message & { t: 'vote' }): void {
    if (term !== this.#term || this.#role !== 'candidate' || !yes) return
    this.#votes.add(from)
    this.#leadIfElected()
  }

  #leadIfElected(): void {
    if (this.#votes.size < this.#majority()) return
    this.#role = 'leader'
    this.#leader = this.host.self
    this.#next = this.host.members.map(() => this.#log.length + 1)
    this.#match = this.host.members.map(() => 0)
    this.host.cancelTimer('election')
    // An entry of the own term: only such an entry commits those of earlier terms.
    this.#add({ term: this.#term, requests: [] })
    this.#propose()
    // Alone it is a majority, and nobody's answer will come.
    this.#advance()
    this.#lead()
  }

  #lead(): void {
    this.host.setTimer('heartbeat', HEARTBEAT_MS)
    for (const { index } of this.host.members) this.#replicate(index)
  }

  #add(entry: Entry): void {
    this.#log.push(entry)
    for (const [id] of entry.requests) this.#logged.add(id)
    this.host.put(keyOf(this.#log.length), pack(entry))
  }

  #propose(): void {
    if (this.#log.length - this.#commit >= IN_FLIGHT) return
    const fresh = [...this.#pool.values()].filter(({ id }) => !this.#logged.has(id))
    if (fresh.length === 0) return
    this.#add({ term: this.#term, requests: fresh.map(toWire) })
    for (const { index } of this.host.members) this.#replicate(index)
    this.#advance()
  }

  #replicate(to: MemberIndex): void {
    const next = this.#next[to]
    if (to === this.host.self || next === undefined) return
    const entries = this.#log.slice(next - 1, next - 1 + ENTRIES_PER_MESSAGE)
    this.#next[to] = next + entries.length
    this.#send(to, { t: 'append', term: this.#term, before: next - 1, beforeTerm: this.#log[next - 2]?.term ?? 0, entries, commit: this.#commit })
  }

  #append(from: MemberIndex, { term, before, beforeTerm, entries, commit }: Message & { t: 'append' }): void {
    if (term < this.#term) return this.#send(from, { t: 'appended', term: this.#term, ok: false, last: 0 })
    const isNewLeader = this.#leader !== from
    this.#leader = from
    this.#role = 'follower'
    this.#awaitLeader()
    if (isNewLeader) this.#forwardAll()
    if (before > 0 && this.#log[before - 1]?.term !== beforeTerm) {
      return this.#send(from, { t: 'appended', term: this.#term, ok: false, last: Math.min(this.#log.length, before - 1) })
    }
    entries.forEach((entry, offset) => {
      const index = before + offset + 1
      if (this.#log[index - 1]?.term === entry.term) return
      this.#truncate(index)
      this.#add(entry)
    })
    const last = before + entries.length
    this.#send(from, { t: 'appended', term: this.#term, ok: true, last })
    this.#commit = Math.max(this.#commit, Math.min(commit, last))
    this.#deliver()
  }

  #truncate(index: number): void {
    while (this.#log.length >= index) {
      this.host.delete(keyOf(this.#log.length))
      for (const [id] of this.#log.pop()?.requests ?? []) this.#logged.delete(id)
    }
  }

  #countAppended(from: MemberIndex, { term, ok, last }: Message & { t: 'appended' }): void {
    if (term !== this.#term || this.#role !== 'leader') return
    if (!ok) {
      this.#next[from] = Math.max((this.#match[from] ?? 0) + 1, last + 1)
      return this.#replicate(from)
    }
    this.#match[from] = Math.max(this.#match[from] ?? 0, last)
    if ((this.#next[from] ?? 0) <= this.#log.length) this.#replicate(from)
    this.#advance()
  }

  /** No wait for the own disk: an answer to an append proves that the append left, and so that the own record is durable. */
  #advance(): void {
    this.#match[this.host.self] = this.#log.length
    const replicated = [...this.#match].sort((a, b) => b - a)[this.#majority() - 1] ?? 0
    if (replicated <= this.#commit || this.#log[replicated - 1]?.term !== this.#term) return
    this.#commit = replicated
    this.#deliver()
    this.#propose()
  }

  #deliver(): void {
    while (this.#delivering.size === 0 && this.#delivered < this.#commit) {
      this.#delivered += 1
      const requests = (this.#log[this.#delivered - 1]?.requests ?? []).map(fromWire)
      for (const { id } of requests) {
        this.#pool.delete(id)
        this.#executed.add(id)
        this.#delivering.add(id)
      }
      if (requests.length === 0) continue
      this.host.deliver(String(this.#delivered), requests, { metadata: Buffer.from(String(this.#delivered)) })
    }
    this.host.status({ role: this.#role, term: this.#term, leader: this.#leader, commit: this.#commit, delivered: this.#delivered, log: this.#log.length })
  }

  #forwardAll(): void {
    if (this.#leader === undefined || this.#leader === this.host.self) return
    for (const request of this.#pool.values()) this.#send(this.#leader, { t: 'request', request: toWire(request) })
  }

  #majority(): number {
    return Math.floor(this.host.members.length / 2) + 1
  }

  #send(to: MemberIndex, message: Message, options: { readonly vote?: { readonly slot: string; readonly value: string } } = {}): void {
    this.host.send(to, pack(message), options)
  }
}

export const raftSkeleton: EngineFactory<undefined> = {
  name: 'raft-skeleton',
  version: '0.0.0',
  agreement: true,
  tolerates: (n) => ({ crashed: Math.floor((n - 1) / 2), byzantine: 0 }),
  parseOptions: () => undefined,
  create: (host, _options, start) => new Raft(host, start),
}
