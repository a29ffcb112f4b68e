import {
  createRandom,
  createRecorder,
  type Effect,
  type EffectRecorder,
  type Engine,
  type EngineEvent,
  type EngineFactory,
  type EngineRequest,
  handleEvent,
  type Head,
  headOfEvent,
  type Member,
} from '../../plugins/consensus/index.js'
import { BlockchainInfo, encode } from '../../proto/index.js'
import { ContractViolation, LivenessViolation } from './failures.js'
import { quickHash } from './quick-hash.js'
import { EPOCH_MS } from './virtual-clock.js'

const DELIVERY_WINDOW = 8
/** Handlers in which requests have to be in blocks. */
const MOST_HANDLERS = 100_000

/**
 * One instance, the only validator of its network, on a host that keeps nothing of the past: answers come at once, time moves when nothing else does. What grows as its
 * chain does is the engine's.
 */
export class LoneHost {
  readonly records = new Map<string, Uint8Array>()
  readonly #timers = new Map<string, number>()
  readonly #events: EngineEvent[] = []
  readonly #waiting = new Set<string>()
  readonly #recorder: EffectRecorder
  readonly #engine: Engine
  #batch: EngineRequest[] = []
  #head: Head = headAt(1n)
  #metadata: Uint8Array | undefined
  #nowMs = EPOCH_MS

  constructor(factory: EngineFactory, options: unknown) {
    const members: Member[] = [{ index: 0, id: 'vp0' }]
    const head = this.#head
    this.#recorder = createRecorder({ self: 0, members, head, deliveryWindow: DELIVERY_WINDOW, random: createRandom(1n) })
    const start = { epoch: 0n, head, metadata: undefined, restored: new Map<string, Uint8Array>(), members, executed: [], seed: 1n }
    this.#engine = this.#during(() => factory.create(this.#recorder.host, options, start))
  }

  /** Gives requests to the engine; returns when all of them are in blocks, and it was told so. */
  order(requests: readonly EngineRequest[]): void {
    for (const request of requests) {
      this.#waiting.add(request.id)
      this.#events.push({ type: 'request', request })
    }
    for (let handlers = 0; this.#waiting.size > 0 || this.#events.length > 0; handlers += 1) {
      const event = this.#events.shift() ?? this.#nextTimer()
      if (event === undefined || handlers > MOST_HANDLERS)
        throw new LivenessViolation(`expected that the only validator orders what it is given; ${this.#waiting.size} of ${requests.length} requests wait`)
      this.#tell(event)
    }
  }

  #tell(event: EngineEvent): void {
    const head = headOfEvent(event)
    if (head) this.#recorder.head = head
    this.#during(() => handleEvent(this.#engine, event))
  }

  #during<T>(run: () => T): T {
    this.#recorder.begin(this.#nowMs)
    const returned = run()
    for (const effect of this.#recorder.end()) this.#carryOut(effect)
    return returned
  }

  #carryOut(effect: Effect): void {
    switch (effect.type) {
      case 'record':
        return this.#store(effect.record)
      case 'deliver':
        this.#execute(effect.requests)
        return this.#commit(effect.tag, effect.metadata, effect.put)
      case 'execute': {
        this.#execute(effect.requests)
        const outcomes = effect.requests.map(({ id }) => ({ id, succeeded: true }))
        return void this.#events.push({ type: 'executed', tag: effect.tag, stateHash: this.#head.hash, outcomes })
      }
      case 'commit':
        return this.#commit(effect.tag, effect.metadata, [])
      case 'rollback':
        this.#batch = []
        return
      case 'transfer':
        return this.#transfer(effect.target.height)
      case 'timer':
        return void this.#timers.set(effect.name, this.#nowMs + effect.delayMs)
      case 'cancel-timer':
        return void this.#timers.delete(effect.name)
      case 'sign':
        return void this.#events.push({ type: 'signed', token: effect.token, signature: effect.bytes })
      case 'verify':
        return void this.#events.push({ type: 'verified', token: effect.token, verdicts: effect.items.map(() => true) })
      case 'forget':
        for (const id of effect.ids) this.#waiting.delete(id)
        return
      case 'halt':
        throw new ContractViolation(`expected an engine that runs; it halted: ${effect.reason}`)
      case 'send':
      case 'broadcast':
      case 'valid':
      case 'status':
      case 'metric':
      case 'log':
        break
    }
  }

  #store([key, value]: readonly [string, Uint8Array | undefined]): void {
    if (value === undefined) this.records.delete(key)
    else this.records.set(key, value)
  }

  #execute(requests: readonly EngineRequest[]): void {
    this.#batch = [...this.#batch, ...requests]
  }

  #commit(tag: string, metadata: Uint8Array | undefined, put: readonly (readonly [string, Uint8Array | undefined])[]): void {
    for (const record of put) this.#store(record)
    for (const { id } of this.#batch) this.#waiting.delete(id)
    this.#batch = []
    this.#metadata = metadata
    this.#head = headAt(this.#head.height + 1n)
    const { hash, height } = this.#head
    this.#events.push({ type: 'delivered', tag, block: { number: height - 1n, hash, stateHash: hash, head: this.#head } })
  }

  #transfer(height: bigint): void {
    const head = this.#head
    this.#events.push({
      type: 'transferred',
      result: height === head.height ? { reached: true, head, metadata: this.#metadata, executed: [] } : { reached: false, reason: 'nobody else has blocks' },
    })
  }

  #nextTimer(): EngineEvent | undefined {
    let next: readonly [name: string, dueMs: number] | undefined
    for (const timer of this.#timers) if (next === undefined || timer[1] < next[1]) next = timer
    if (next === undefined) return undefined
    this.#timers.delete(next[0])
    this.#nowMs = Math.max(this.#nowMs, next[1])
    return { type: 'timer', name: next[0], generation: 0 }
  }
}

function headAt(height: bigint): Head {
  const currentBlockHash = quickHash(`block ${height}`)
  const blob = encode(BlockchainInfo, { height, currentBlockHash, previousBlockHash: quickHash(`block ${height - 1n}`) })
  return { height, hash: currentBlockHash, blob }
}
