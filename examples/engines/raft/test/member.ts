import type { DeliveredBlock, Engine, EngineHost, EngineRequest, EngineStart, Head, MemberIndex, TransferTarget, VoteMark } from 'weft/consensus'
import { makeTransaction } from 'weft/testkit'
import { requestId } from 'weft/consensus'
import { decodeMessage, encodeMessage, type Entry, entryFor, type Message, type Position } from '../src/messages.js'
import { raft } from '../src/index.js'

export interface Sent {
  readonly to: MemberIndex
  readonly message: Message
  readonly vote: VoteMark | undefined
}

/** Requests by name. */
export const request = (name: string): EngineRequest => {
  const bytes = makeTransaction(name)
  return { id: requestId(bytes), bytes }
}

export const entry = (term: number, ...names: readonly string[]): Entry => entryFor(term, names.map(request), false)
export const at = (index: number, term: number): Position => ({ index, term })

const headAt = (height: bigint): Head => ({ height, hash: Buffer.from(`block ${height - 1n}`), blob: new Uint8Array() })

/** One member of a network, with a host that only writes down what it is asked for. */
export class Member {
  readonly records: Map<string, Uint8Array>
  readonly timers = new Map<string, number>()
  readonly delivered: { readonly tag: string; readonly ids: readonly string[]; readonly metadata: Uint8Array | undefined }[] = []
  readonly transfers: TransferTarget[] = []
  readonly forgotten: string[] = []
  readonly #engine: Engine
  #sent: Sent[] = []
  #head: Head
  view: Readonly<Record<string, unknown>> = {}
  isValid = true
  /** Messages that nobody would take. */
  unreadable = 0
  now = 1_000_000

  constructor(
    readonly self: MemberIndex,
    count = 3,
    options: Readonly<Record<string, unknown>> = {},
    start: Partial<EngineStart> = {},
  ) {
    const members = Array.from({ length: count }, (_, index) => ({ index, id: `vp${index}` }))
    this.records = new Map(start.restored)
    this.#head = start.head ?? headAt(1n)
    const head = (): Head => this.#head
    const now = (): number => this.now
    const host: EngineHost = {
      self,
      members,
      deliveryWindow: 8,
      get head() {
        return head()
      },
      get now() {
        return now()
      },
      random: () => 0.5,
      send: (to, bytes, { vote } = {}) => {
        const message = decodeMessage(bytes, count)
        if (message) this.#sent.push({ to, message, vote })
        else this.unreadable += 1
      },
      broadcast: () => never('broadcast'),
      put: (key, bytes) => void this.records.set(key, bytes),
      delete: (key) => void this.records.delete(key),
      deliver: (tag, requests, { metadata } = {}) => void this.delivered.push({ tag, ids: requests.map(({ id }) => id), metadata }),
      execute: () => never('execute'),
      commit: () => never('commit'),
      rollback: () => never('rollback'),
      transferTo: (target) => void this.transfers.push(target),
      setValid: (valid) => (this.isValid = valid),
      setTimer: (name, delayMs) => void this.timers.set(name, delayMs),
      cancelTimer: (name) => void this.timers.delete(name),
      sign: () => never('sign'),
      verify: () => never('verify'),
      forget: (ids) => void this.forgotten.push(...ids),
      status: (view) => (this.view = view),
      metric: () => undefined,
      log: () => undefined,
      halt: (reason) => never(`halt: ${reason}`),
    }
    const whole = { epoch: 0n, head: this.#head, metadata: undefined, restored: this.records, members, seed: 1n, ...start }
    this.#engine = raft.create(host, raft.parseOptions(options), { ...whole, restored: new Map(whole.restored) })
  }

  /** What was sent since the last call, in order. */
  sent(kind?: Message['kind']): Sent[] {
    const sent = this.#sent.filter(({ message }) => kind === undefined || message.kind === kind)
    this.#sent = []
    return sent
  }

  /** The one message of a kind to a member among what was sent since the last call. */
  sentTo<K extends Message['kind']>(to: MemberIndex, kind: K): Message & { readonly kind: K } {
    const found = this.sent(kind).filter((sent) => sent.to === to)
    const last = found.at(-1)?.message
    if (!isOf(last, kind)) throw new Error(`expected a message ${kind} to member ${to}; found none`)
    return last
  }

  receive(from: MemberIndex, message: Message): this {
    this.#engine.onMessage?.(from, encodeMessage(message))
    return this
  }

  receiveBytes(from: MemberIndex, bytes: Uint8Array): void {
    this.#engine.onMessage?.(from, bytes)
  }

  submit(...names: readonly string[]): this {
    for (const name of names) this.#engine.onRequest?.(request(name))
    return this
  }

  link(member: MemberIndex, isUp: boolean): this {
    this.#engine.onPeer?.(member, isUp)
    return this
  }

  /** Time passes, and a timer that runs fires. */
  fire(name: string): this {
    const delayMs = this.timers.get(name)
    if (delayMs === undefined) throw new Error(`expected a timer ${name}; there run ${[...this.timers.keys()].join(', ')}`)
    this.timers.delete(name)
    this.now += delayMs
    this.#engine.onTimer?.(name)
    return this
  }

  /** The oldest delivery that is not answered becomes a block, or is void. */
  answer(how: 'block' | 'skipped' = 'block', rejected: readonly string[] = []): this {
    const delivery = this.delivered[this.#answered]
    if (!delivery) throw new Error('expected a delivery that is not answered')
    this.#answered += 1
    if (how === 'block') this.#head = headAt(this.#head.height + 1n)
    const { height, hash } = this.#head
    const block: DeliveredBlock = { number: height - 1n, hash, stateHash: undefined, head: this.#head, rejected: rejected.map((name) => request(name).id) }
    this.#engine.onDelivered?.(delivery.tag, how === 'block' ? block : 'skipped')
    return this
  }

  transferred(height: bigint): this {
    this.#head = headAt(height)
    this.#engine.onTransferred?.({ reached: true, head: this.#head, metadata: undefined })
    return this
  }

  transferFailed(): this {
    this.#engine.onTransferred?.({ reached: false, reason: 'nobody answers' })
    return this
  }

  seal(height: bigint): this {
    this.#engine.onSealed?.(height)
    return this
  }

  /** The same member after a crash: what it had put is there. */
  restarted(options: Readonly<Record<string, unknown>> = {}): Member {
    const metadata = this.delivered[this.#answered - 1]?.metadata
    return new Member(this.self, this.#count(), options, { restored: this.records, head: this.#head, metadata })
  }

  #answered = 0

  #count(): number {
    return Number(this.view['replicas'])
  }
}

/** A follower of three in term 1, led by member 0, with these entries. */
export function follower(entries: readonly Entry[], commit = 0, options: Readonly<Record<string, unknown>> = {}): Member {
  const member = new Member(1, 3, options)
  member.receive(0, { kind: 'append', term: entries.at(-1)?.term ?? 1, before: at(0, 0), commit, entries })
  member.sent()
  return member
}

/** Member 0 of so many, which leads from the start of epoch 0, with these requests in its log, an entry each. */
export function leader(names: readonly string[] = [], count = 3, options: Readonly<Record<string, unknown>> = {}): Member {
  const member = new Member(0, count, { batchSize: 1, ...options })
  for (let to = 1; to < count; to += 1) member.receive(to, appended(1, 0))
  member.submit(...names)
  member.sent()
  return member
}

export const appended = (term: number, index: number, more: Partial<Message & { kind: 'appended' }> = {}): Message => ({
  kind: 'appended',
  term,
  isOk: true,
  before: 0,
  index,
  delivered: 0,
  ...more,
})

export const campaign = (term: number, last: Position, more: Partial<Message & { kind: 'campaign' }> = {}): Message => ({
  kind: 'campaign',
  term,
  isPre: false,
  isHandOver: false,
  last,
  ...more,
})

function isOf<K extends Message['kind']>(message: Message | undefined, kind: K): message is Message & { readonly kind: K } {
  return message?.kind === kind
}

function never(what: string): never {
  throw new Error(`raft has no use for ${what}`)
}
