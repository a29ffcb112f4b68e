import { messageOf } from '../../kernel/index.js'
import {
  createRandom as createEngineRandom,
  createRecorder,
  type Effect,
  type EffectRecorder,
  type Engine,
  type EngineEvent,
  type EngineFactory,
  type EngineStart,
  handleEvent,
  headOfEvent,
  type Member,
  type MemberIndex,
  type TransferTarget,
} from '../../plugins/consensus/index.js'
import type { ModelBlock, ModelLibrary, ModelTransaction } from './model-chain.js'
import { ModelDeliveries, newestRequests } from './model-deliveries.js'
import { type ModelDisk, modelWrite } from './model-disk.js'
import { type ModelMessage, ModelOutbox } from './model-outbox.js'
import type { ModelPool } from './model-pool.js'
import { ModelTimers } from './model-timers.js'
import type { Invariants } from './invariants.js'
import type { Endpoint } from './link-table.js'
import type { SyncSigner } from './sync-signer.js'
import type { TraceSink } from './trace.js'
import { EPOCH_MS, type VirtualTime } from './virtual-clock.js'

const MAX_EFFECTS = 250_000
const DELIVERY_WINDOW = 8

/** What one instance of an engine has around it. */
export interface ModelSessionOptions {
  readonly self: Member
  readonly endpoint: Endpoint
  readonly members: readonly Member[]
  readonly factory: EngineFactory
  /** Parsed. */
  readonly engineOptions: unknown
  readonly seed: bigint
  readonly time: VirtualTime
  readonly clockJumpMs: number
  readonly library: ModelLibrary
  readonly disk: ModelDisk
  readonly pool: ModelPool
  readonly signer: SyncSigner
  readonly maxTold: number
  readonly executesRepetitions: boolean
  readonly invariants: Invariants
  readonly sink: TraceSink | undefined
  readonly send: (to: MemberIndex, bytes: Uint8Array) => void
  readonly execute: (task: () => void) => void
  readonly transfer: (target: TransferTarget, ended: (failure: string | undefined) => void) => void
  readonly grown: (blocks: readonly ModelBlock[]) => void
  readonly defer: (task: () => void) => void
  /** Told before each handler; false: time cannot pass any more. */
  readonly mayGoOn: () => boolean
  /** The engine was halted, by itself or because it broke a rule. */
  readonly halted: (reason: string) => void
}

/** One instance of an engine, with the rules of the contract around it: its effects are carried out in order after each handler, and what it stored is durable before it is sent. */
export class ModelSession {
  readonly deliveries: ModelDeliveries
  readonly #timers: ModelTimers
  readonly #outbox = new ModelOutbox((message) => this.#transmit(message))
  readonly #written = (): void => this.#outbox.written()
  readonly #others: readonly MemberIndex[]
  readonly #offsetMs: number
  #recorder: EffectRecorder | undefined
  #engine: Engine | undefined
  #events: EngineEvent[] = []
  #next = 0
  #isBusy = false
  /** The engine gets no more timers and messages. */
  #isQuiet = false
  #isOver = false
  #isHalted = false

  constructor(private readonly options: ModelSessionOptions) {
    const { time, defer, self, members, clockJumpMs } = options
    this.#others = members.flatMap(({ index }) => (index === self.index ? [] : [index]))
    this.#offsetMs = EPOCH_MS + clockJumpMs
    this.#timers = new ModelTimers(time, defer, (name, generation) => {
      if (!this.#isQuiet) this.post({ type: 'timer', name, generation })
    })
    this.deliveries = new ModelDeliveries({
      window: DELIVERY_WINDOW,
      answer: (event) => this.post(event),
      fault: (reason) => this.#halt(reason),
      ...options,
    })
  }

  /** Makes the engine from what its disk holds, and gives it the requests that are open. */
  begin(): void {
    const { self, members, factory, engineOptions, disk, library, maxTold, seed } = this.options
    const { image } = disk
    const { head, metadata } = image.head
    // In the order of their keys, as stores give them.
    const restored = new Map([...image.records].sort(([a], [b]) => (a < b ? -1 : 1)))
    const executed = newestRequests(library, image.blocks, 0, maxTold).ids
    const start: EngineStart = { epoch: 0n, head, metadata, restored, members, executed, seed }
    const recorder = createRecorder({
      self: self.index,
      members,
      head,
      deliveryWindow: DELIVERY_WINDOW,
      random: createEngineRandom(seed),
      maxEffects: MAX_EFFECTS,
    })
    this.#recorder = recorder
    const requests = this.options.pool.open()
    const { order } = this.options.invariants
    order?.begins(self.index, 0n, image.blocks.length)
    order?.made(self.index, 0n, factory)
    this.#isBusy = true
    recorder.begin(Math.floor(this.#offsetMs + this.options.time.nowMs))
    try {
      this.#engine = factory.create(recorder.host, engineOptions, start)
      this.#carryOut(recorder.end())
    } catch (error) {
      this.#halt(`the engine threw in 'create': ${messageOf(error)}`)
    }
    this.#isBusy = false
    if (this.#isHalted) return
    for (const request of requests) this.#events.push({ type: 'request', request })
    this.#drain()
  }

  message(from: MemberIndex, bytes: Uint8Array): void {
    if (!this.#isQuiet) this.post({ type: 'message', from, bytes })
  }

  peer(member: MemberIndex, up: boolean): void {
    if (!this.#isQuiet) this.post({ type: 'peer', member, up })
  }

  post(event: EngineEvent): void {
    if (this.#isOver || this.#isHalted) return
    if (this.#isBusy || !this.#engine) return void this.#events.push(event)
    this.#isBusy = true
    this.#handle(event)
    this.#drain()
  }

  /** No more timers and messages; what the engine waits for still comes. */
  quieten(): void {
    this.#isQuiet = true
    this.#timers.cancelAll()
  }

  /** Nothing further is handled or sent. */
  end(): void {
    this.quieten()
    this.#isOver = true
    this.#engine = undefined
    this.#events = []
    this.#outbox.clear()
  }

  #drain(): void {
    this.#isBusy = true
    while (this.#next < this.#events.length) {
      const event = this.#events[this.#next]
      this.#next += 1
      if (event !== undefined) this.#handle(event)
    }
    if (this.#next > 0) this.#events = []
    this.#next = 0
    this.#isBusy = false
  }

  #handle(event: EngineEvent): void {
    const engine = this.#engine
    const recorder = this.#recorder
    if (!engine || !recorder) return
    if (event.type === 'timer' && !this.#timers.claim(event.name, event.generation)) return
    const head = headOfEvent(event)
    if (head) recorder.head = head
    const { sink, endpoint, mayGoOn, invariants, self } = this.options
    if (event.type === 'delivered' && event.block !== 'skipped') invariants.order?.delivered(self.index, event.block.number)
    else if (event.type === 'transferred') invariants.order?.transferred(self.index, event.result)
    sink?.add({ type: 'event', at: endpoint, event })
    if (!mayGoOn()) return
    recorder.begin(Math.floor(this.#offsetMs + this.options.time.nowMs))
    try {
      const returned = handleEvent(engine, event)
      if (returned instanceof Promise) throw new TypeError('its handler returned a promise: handlers are synchronous')
    } catch (error) {
      // Nothing that it asked for is carried out.
      recorder.end()
      return this.#halt(`the engine threw in '${event.type}': ${messageOf(error)}`)
    }
    const effects = recorder.end()
    if (effects.length > 0) this.#carryOut(effects)
  }

  #carryOut(effects: readonly Effect[]): void {
    this.#store(effects)
    for (const effect of effects) {
      this.#carryOutOne(effect)
      if (this.#isOver || this.#isHalted) return
    }
  }

  /** All that a handler stored and forgot is one write, for which what it sends waits. */
  #store(effects: readonly Effect[]): void {
    let records: (readonly [string, Uint8Array | undefined])[] | undefined
    let over: ModelTransaction[] | undefined
    for (const effect of effects) {
      if (effect.type === 'halt') break
      if (effect.type === 'record') {
        if (records) records.push(effect.record)
        else records = [effect.record]
      } else if (effect.type === 'forget') over = [...(over ?? []), ...this.options.pool.named(effect.ids)]
    }
    if (records === undefined && (over === undefined || over.length === 0)) return
    this.#outbox.beginWrite()
    this.options.disk.write(modelWrite(this.#written, { records, over }))
  }

  #carryOutOne(effect: Effect): void {
    const { pool } = this.options
    switch (effect.type) {
      case 'send':
        return this.#outbox.send(effect)
      case 'broadcast':
        return this.#outbox.send({ to: undefined, bytes: effect.bytes, vote: effect.vote })
      case 'deliver':
      case 'execute':
      case 'commit':
      case 'rollback':
      case 'transfer':
        return this.deliveries.add(effect)
      case 'timer':
        return this.#timers.set(effect.name, effect.delayMs)
      case 'cancel-timer':
        return this.#timers.cancel(effect.name)
      case 'sign':
      case 'verify':
        return this.#answerCrypto(effect)
      case 'forget':
        for (const transaction of pool.named(effect.ids)) pool.drop(transaction)
        return
      case 'halt':
        return this.#halt(effect.reason)
      case 'status':
        return this.options.invariants.order?.stated(this.options.self.index, 0n, effect.view)
      case 'record':
      case 'valid':
      case 'metric':
      case 'log':
        break
    }
  }

  #answerCrypto(effect: Effect & { readonly type: 'sign' | 'verify' }): void {
    const { signer, members, self, defer } = this.options
    const { token } = effect
    const event: EngineEvent =
      effect.type === 'sign'
        ? { type: 'signed', token, signature: signer.sign(self, effect.bytes) }
        : {
            type: 'verified',
            token,
            verdicts: effect.items.map(({ member, bytes, signature }) => {
              const from = members[member]
              return from !== undefined && signer.verify(from, bytes, signature)
            }),
          }
    defer(() => this.post(event))
  }

  #transmit({ to, bytes, vote }: ModelMessage): void {
    const { send, invariants, self, sink, endpoint } = this.options
    if (vote !== undefined) {
      sink?.add({ type: 'vote', at: endpoint, slot: vote.slot, value: vote.value })
      invariants.vote(self.index, vote.slot, vote.value)
    }
    if (to !== undefined) return send(to, bytes)
    for (const other of this.#others) send(other, bytes)
  }

  #halt(reason: string): void {
    if (this.#isHalted || this.#isOver) return
    this.#isHalted = true
    this.#engine = undefined
    this.#events.length = 0
    this.quieten()
    this.options.halted(reason)
  }
}
