import type { DeliveredBlock, Engine, EngineFactory, EngineHost, EngineRequest, EngineStart, MemberIndex } from '../../../plugins/consensus/index.js'
import { digest, fromWire, pack, toWire, unpack, type WireRequest } from './wire.js'

// LEARNING SKELETON, NOT A PRODUCT: it exists to show that the engine interface carries chained HotStuff (docs/adr/0001-engine-interface.md).
// Three-chain commit, a rotating leader, signed votes. Left out: checks of hostile fields, pruning of nodes, state transfer.

/** n - f signed votes for a node. */
interface Certificate {
  readonly view: number
  readonly node: string
  readonly signatures: readonly (readonly [member: MemberIndex, signature: string])[]
}
interface Node {
  readonly view: number
  readonly parent: Certificate
  readonly requests: readonly WireRequest[]
}
type Message =
  | { readonly t: 'request'; readonly request: WireRequest }
  | { readonly t: 'propose'; readonly node: Node }
  | { readonly t: 'vote'; readonly view: number; readonly node: string; readonly signature: string }
  | { readonly t: 'new-view'; readonly view: number; readonly high: Certificate }
  | { readonly t: 'fetch'; readonly node: string }
  | { readonly t: 'nodes'; readonly nodes: readonly Node[] }
/** What an answer of `verify` is about. */
type Checked = Message & { readonly t: 'propose' | 'vote' | 'new-view' }

const GENESIS: Certificate = { view: 0, node: 'genesis', signatures: [] }
const VIEW_MS = 150
const VIEWS_PER_LEADER = 6
const IDLE_MS = 60
const FETCH_AT_ONCE = 30
const idOf = ({ view, parent, requests }: Node): string => digest(String(view), parent.node, ...requests.map(([id]) => id))
const votedBytes = (view: number, node: string): Uint8Array => Buffer.from(`vote ${view} ${node}`)

class HotStuff implements Engine {
  readonly #quorum: number
  #view = 1
  #voted = 0
  #high = GENESIS
  #locked = GENESIS
  /** The last node that was handed over for execution. */
  #executed: string
  readonly #queue: string[] = []
  /** Requests of the delivery that has not been answered; one at a time. */
  readonly #delivering = new Set<string>()
  #failures = 0
  readonly #nodes = new Map<string, Node>()
  readonly #votes = new Map<string, Map<MemberIndex, string>>()
  readonly #newViews = new Map<number, Set<MemberIndex>>()
  #proposed = 0
  readonly #pool = new Map<string, EngineRequest>()
  readonly #own = new Set<string>()
  readonly #done = new Set<string>()

  constructor(
    private readonly host: EngineHost,
    { restored, metadata, executed = [] }: EngineStart,
  ) {
    const n = host.members.length
    this.#quorum = n - Math.floor((n - 1) / 3)
    const state = unpack<{ voted: number; proposed: number; high: Certificate; locked: Certificate }>(restored.get('state'))
    this.#voted = state?.voted ?? 0
    this.#proposed = state?.proposed ?? 0
    this.#high = state?.high ?? GENESIS
    this.#locked = state?.locked ?? GENESIS
    this.#view = Math.max(this.#voted, this.#high.view) + 1
    for (const [key, bytes] of restored) {
      const node = key.startsWith('node.') ? unpack<Node>(bytes) : undefined
      if (node) this.#nodes.set(key.slice('node.'.length), node)
    }
    // Written in the block's own batch: a node is executed exactly when this says so.
    // Blocks that a transfer brought are in no record of this engine: there the last block says it.
    this.#executed = Buffer.from(metadata ?? restored.get('executed') ?? Buffer.from(GENESIS.node)).toString()
    for (let id = this.#executed, node = this.#nodes.get(id); node; id = node.parent.node, node = this.#nodes.get(id))
      for (const [request] of node.requests) this.#done.add(request)
    for (const request of executed) this.#done.add(request)
    host.setTimer('view', VIEW_MS)
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
    this.#send(member, { t: 'new-view', view: this.#view, high: this.#high })
  }

  onTimer(name: string): void {
    if (name === 'idle') this.#propose(true)
    if (name !== 'view') return
    this.#failures += 1
    this.#enter(this.#view + 1)
    this.host.broadcast(pack({ t: 'new-view', view: this.#view, high: this.#high } satisfies Message))
    this.#countNewView(this.host.self, this.#view)
  }

  onDelivered(_tag: string, block: DeliveredBlock | 'skipped'): void {
    this.#delivering.clear()
    if (block !== 'skipped') this.#execute()
  }

  onMessage(from: MemberIndex, bytes: Uint8Array): void {
    const message = unpack<Message>(bytes)
    switch (message?.t) {
      case 'request':
        return this.#add(fromWire(message.request))
      case 'propose':
        if (from === this.#leader(message.node.view)) this.#check(from, message, message.node.parent)
        return
      case 'new-view':
        return this.#check(from, message, message.high)
      case 'vote': {
        const item = { member: from, bytes: votedBytes(message.view, message.node), signature: Buffer.from(message.signature, 'base64') }
        return this.host.verify(JSON.stringify([from, message]), [item])
      }
      case 'fetch':
        return this.#send(from, { t: 'nodes', nodes: this.#branch(message.node).slice(0, FETCH_AT_ONCE) })
      case 'nodes':
        // Newest first: each is named by the one that is missing. What they say is covered by the certificate that named the first.
        for (const node of message.nodes) this.#store(node)
        return this.#commit(from)
      case undefined:
        return
    }
  }

  onSigned(token: string, signature: Uint8Array): void {
    const [view, node]: readonly [number, string] = JSON.parse(token)
    const vote = { t: 'vote', view, node, signature: Buffer.from(signature).toString('base64') } as const
    const next = this.#leader(view + 1)
    if (next === this.host.self) this.#countVote(this.host.self, vote)
    else this.host.send(next, pack(vote satisfies Message), { vote: { slot: `view ${view}`, value: node } })
  }

  onVerified(token: string, verdicts: readonly boolean[]): void {
    const [from, message]: readonly [MemberIndex, Checked] = JSON.parse(token)
    if (!verdicts.every(Boolean)) return
    if (message.t === 'vote') return this.#countVote(from, message)
    this.#learn(message.t === 'propose' ? message.node.parent : message.high)
    if (message.t === 'propose') this.#consider(from, message.node)
    else this.#countNewView(from, message.view)
    this.#commit(from)
  }

  /** For some views in a row: with a new leader in each, four members of which one is dead never have three certified views one after the other. */
  #leader(view: number): MemberIndex {
    return Math.floor(view / VIEWS_PER_LEADER) % this.host.members.length
  }

  #check(from: MemberIndex, message: Checked, { view, node, signatures }: Certificate): void {
    if (view > 0 && new Set(signatures.map(([member]) => member)).size < this.#quorum) return
    const items = signatures.map(([member, signature]) => ({ member, bytes: votedBytes(view, node), signature: Buffer.from(signature, 'base64') }))
    this.host.verify(JSON.stringify([from, message]), items)
  }

  #add(request: EngineRequest): void {
    if (this.#done.has(request.id)) return
    this.#pool.set(request.id, request)
    this.#propose(false)
  }

  #enter(view: number): void {
    if (view <= this.#view) return
    this.#view = view
    this.host.setTimer('view', VIEW_MS * 2 ** Math.min(this.#failures, 3))
    this.host.cancelTimer('idle')
  }

  #learn(certificate: Certificate): void {
    if (certificate.view <= this.#high.view) return
    this.#high = certificate
    this.#failures = 0
    this.#enter(certificate.view + 1)
  }

  /** The nodes from `id` back to the one that was executed last, newest first. */
  #branch(id: string, until?: string): Node[] {
    const branch: Node[] = []
    for (let node = this.#nodes.get(id), at = id; node && at !== until; at = node.parent.node, node = this.#nodes.get(at)) branch.push(node)
    return branch
  }

  #propose(evenIfIdle: boolean): void {
    const isReady = this.#high.view === this.#view - 1 || (this.#newViews.get(this.#view)?.size ?? 0) >= this.#quorum
    if (this.#leader(this.#view) !== this.host.self || this.#proposed >= this.#view || this.#voted >= this.#view || !isReady) return
    const branch = this.#branch(this.#high.node, this.#executed)
    const inBranch = new Set(branch.flatMap(({ requests }) => requests.map(([id]) => id)))
    const requests = [...this.#pool.values()].filter(({ id }) => !inBranch.has(id)).map(toWire)
    if (requests.length === 0 && inBranch.size === 0 && !evenIfIdle) return this.host.setTimer('idle', IDLE_MS)
    this.#proposed = this.#view
    // The own vote may be refused, so its record is not enough.
    this.#storeState()
    const node: Node = { view: this.#view, parent: this.#high, requests }
    this.host.broadcast(pack({ t: 'propose', node } satisfies Message), { vote: { slot: `proposal ${this.#view}`, value: idOf(node) } })
    this.#consider(this.host.self, node)
  }

  #consider(from: MemberIndex, node: Node): void {
    const id = this.#store(node)
    const extendsLocked = this.#locked.view === 0 || this.#branch(id).some(({ parent }) => parent.node === this.#locked.node)
    if (node.view < this.#view || node.view <= this.#voted || node.parent.view >= node.view) return
    if (!extendsLocked && node.parent.view <= this.#locked.view) return
    const parent = this.#nodes.get(node.parent.node)
    if (node.parent.view > 0 && parent === undefined) return this.#send(from, { t: 'fetch', node: node.parent.node })
    // Two-chain: lock what the parent certifies.
    if (parent && parent.parent.view > this.#locked.view) this.#locked = parent.parent
    this.#voted = node.view
    this.#storeState()
    // The vote leaves in a later handler than the record: the host keeps every send behind every earlier write.
    this.host.sign(JSON.stringify([node.view, id]), votedBytes(node.view, id))
    this.#enter(node.view + 1)
  }

  #storeState(): void {
    this.host.put('state', pack({ voted: this.#voted, proposed: this.#proposed, high: this.#high, locked: this.#locked }))
  }

  #store(node: Node): string {
    const id = idOf(node)
    if (!this.#nodes.has(id)) {
      this.#nodes.set(id, node)
      this.host.put(`node.${id}`, pack(node))
    }
    return id
  }

  #countVote(from: MemberIndex, { view, node, signature }: Message & { t: 'vote' }): void {
    if (view <= this.#high.view) return
    const votes = this.#votes.get(node) ?? new Map<MemberIndex, string>()
    this.#votes.set(node, votes.set(from, signature))
    if (votes.size < this.#quorum) return
    this.#votes.clear()
    this.#learn({ view, node, signatures: [...votes] })
    this.#propose(false)
  }

  #countNewView(from: MemberIndex, view: number): void {
    if (view < this.#view) return
    const members = this.#newViews.get(view) ?? new Set()
    this.#newViews.set(view, members.add(from))
    // f + 1 are there already: one of them is correct, follow.
    if (view > this.#view && members.size > this.host.members.length - this.#quorum) this.onTimer('view')
    this.#propose(false)
    for (const old of this.#newViews.keys()) if (old < this.#view) this.#newViews.delete(old)
  }

  /** Three certified nodes of consecutive views, each the parent of the next: the oldest is decided. */
  #commit(from: MemberIndex): void {
    const third = this.#nodes.get(this.#high.node)
    const second = third && this.#nodes.get(third.parent.node)
    if (this.#high.view > 0 && !third && from !== this.host.self) this.#send(from, { t: 'fetch', node: this.#high.node })
    if (!third || !second || third.view !== second.view + 1 || second.view !== second.parent.view + 1) return
    this.#decide(from, second.parent.node)
    this.#execute()
  }

  #decide(from: MemberIndex, id: string): void {
    const last = this.#queue.at(-1) ?? this.#executed
    const branch: string[] = []
    for (let at = id; at !== last && at !== GENESIS.node; ) {
      const node = this.#nodes.get(at)
      if (!node) return this.#send(from, { t: 'fetch', node: at })
      branch.push(at)
      at = node.parent.node
      // Decided nodes are one chain: meeting the genesis without `last` means that `id` is not newer than `last`.
      if (at === GENESIS.node && last !== GENESIS.node) return
    }
    this.#queue.push(...branch.reverse())
  }

  #execute(): void {
    while (this.#delivering.size === 0) {
      const id = this.#queue.shift()
      if (id === undefined) break
      this.#executed = id
      // All of them: what each member remembers is not the same, and the host leaves out what was executed.
      const requests = this.#nodes.get(id)?.requests ?? []
      for (const [request] of requests) {
        this.#done.add(request)
        this.#pool.delete(request)
      }
      if (requests.length === 0) continue
      for (const [request] of requests) this.#delivering.add(request)
      this.host.deliver(id, requests.map(fromWire), { metadata: Buffer.from(id), put: [['executed', Buffer.from(id)]] })
    }
    this.host.status({ view: this.#view, voted: this.#voted, high: this.#high.view, locked: this.#locked.view, pool: this.#pool.size })
  }

  #send(to: MemberIndex, message: Message): void {
    if (to !== this.host.self) this.host.send(to, pack(message))
  }
}

export const hotStuffSkeleton: EngineFactory<undefined> = {
  name: 'hotstuff-skeleton',
  version: '0.0.0',
  agreement: true,
  // It checks no field of a message: it bears nobody who lies.
  tolerates: (n) => ({ crashed: Math.floor((n - 1) / 3), byzantine: 0 }),
  parseOptions: () => undefined,
  create: (host, _options, start) => new HotStuff(host, start),
}
