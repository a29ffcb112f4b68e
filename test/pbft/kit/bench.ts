import type { EngineHost, EngineRequest, EngineStart, Head, Member, MemberIndex, TransferTarget, VoteMark } from '../../../plugins/consensus/index.js'
import { begin, engineOf, restoreReplica } from '../../../plugins/pbft/engine.js'
import { parsePbftOptions } from '../../../plugins/pbft/options.js'
import type { Replica } from '../../../plugins/pbft/replica.js'
import { BlockchainInfo, encode } from '../../../proto/index.js'

/** What an engine asked for, in order. Timers and records are kept apart. */
export type Asked =
  | { readonly op: 'broadcast'; readonly bytes: Uint8Array; readonly vote: VoteMark | undefined }
  | { readonly op: 'send'; readonly to: MemberIndex; readonly bytes: Uint8Array; readonly vote: VoteMark | undefined }
  | { readonly op: 'deliver'; readonly tag: string; readonly requests: readonly EngineRequest[]; readonly metadata: Uint8Array | undefined }
  | { readonly op: 'transfer'; readonly target: TransferTarget }
  | { readonly op: 'valid'; readonly valid: boolean }
  | { readonly op: 'forget'; readonly ids: readonly string[] }
  | { readonly op: 'halt'; readonly reason: string }

export interface BenchOptions {
  readonly self: number
  readonly size?: number
  readonly options?: Record<string, unknown>
  readonly restored?: ReadonlyMap<string, Uint8Array>
  readonly metadata?: Uint8Array
  readonly head?: Head
  /** Default: the ASCII text SIGN. */
  readonly sign?: (bytes: Uint8Array) => Uint8Array
  /** Default: everything holds but the ASCII text BAD. */
  readonly verify?: (signature: Uint8Array, member: number) => boolean
  readonly executed?: readonly string[]
  readonly hasOriginals?: boolean
}

/** A head whose hash is a name: checkpoints of a test are told apart by it. */
export function headNamed(name: string, height = 1n): Head {
  const hash = Buffer.from(name)
  return { height, hash, blob: encode(BlockchainInfo, { height, currentBlockHash: hash, previousBlockHash: new Uint8Array() }) }
}

/** One replica whose host is the test. */
export class Bench {
  readonly replica: Replica
  readonly engine: ReturnType<typeof engineOf>
  readonly records: Map<string, Uint8Array>
  readonly timers = new Map<string, number>()
  readonly log: string[] = []
  asked: Asked[] = []
  nowMs = 1_469_000_000_000
  head: Head
  status: Readonly<Record<string, unknown>> = {}
  private readonly answers: (() => void)[] = []

  constructor(options: BenchOptions) {
    const { self, size = 4, head = headNamed('GENESIS') } = options
    this.head = head
    this.records = new Map(options.restored)
    const members: Member[] = Array.from({ length: size }, (_, index) => ({ index, id: `vp${index}` }))
    const start: EngineStart = {
      epoch: 0n,
      head,
      metadata: options.metadata,
      restored: new Map(this.records),
      members,
      seed: 1n,
      ...(options.executed ? { executed: options.executed } : {}),
      ...(options.hasOriginals ? { hasOriginals: true } : {}),
    }
    this.replica = restoreReplica(this.host(self, members, options), parsePbftOptions(options.options), start)
    this.engine = engineOf(this.replica)
    this.settle()
  }

  /** Starts it and ends the start-up transfer. */
  begin(): this {
    this.run(() => begin(this.replica))
    this.transferred()
    return this
  }

  /** One event and the answers that it asks for. Returns what was asked for, and forgets it. */
  run(event: () => void): Asked[] {
    event()
    this.settle()
    return this.take()
  }

  message(from: MemberIndex, bytes: Uint8Array): Asked[] {
    return this.run(() => this.engine.onMessage(from, bytes))
  }

  /** A timer runs out; time passes until then. */
  fire(timer: string): Asked[] {
    this.nowMs += this.timers.get(timer) ?? 0
    this.timers.delete(timer)
    return this.run(() => this.engine.onTimer(timer))
  }

  transferred(head = this.head, executed: readonly string[] | undefined = []): Asked[] {
    this.head = head
    return this.run(() => this.engine.onTransferred({ reached: true, head, metadata: undefined, ...(executed ? { executed } : {}) }))
  }

  delivered(tag: string, head = headNamed(`head ${tag}`, BigInt(tag) + 1n), rejected: readonly string[] = []): Asked[] {
    this.head = head
    return this.run(() => this.engine.onDelivered(tag, { number: head.height - 1n, hash: head.hash, stateHash: undefined, head, rejected }))
  }

  take(): Asked[] {
    const { asked } = this
    this.asked = []
    return asked
  }

  private settle(): void {
    for (let answer = this.answers.shift(); answer; answer = this.answers.shift()) answer()
  }

  private host(self: number, members: readonly Member[], { sign, verify }: BenchOptions): EngineHost {
    const ask = (asked: Asked): void => void this.asked.push(asked)
    const head = (): Head => this.head
    const now = (): number => this.nowMs
    return {
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
      send: (to, bytes, { vote } = {}) => ask({ op: 'send', to, bytes, vote }),
      broadcast: (bytes, { vote } = {}) => ask({ op: 'broadcast', bytes, vote }),
      put: (key, bytes) => void this.records.set(key, bytes),
      delete: (key) => void this.records.delete(key),
      deliver: (tag, requests, { metadata } = {}) => ask({ op: 'deliver', tag, requests, metadata }),
      execute: () => ask({ op: 'halt', reason: 'execute is not used' }),
      commit: () => ask({ op: 'halt', reason: 'commit is not used' }),
      rollback: () => ask({ op: 'halt', reason: 'rollback is not used' }),
      transferTo: (target) => ask({ op: 'transfer', target }),
      setValid: (valid) => ask({ op: 'valid', valid }),
      setTimer: (name, delayMs) => void this.timers.set(name, delayMs),
      cancelTimer: (name) => void this.timers.delete(name),
      sign: (token, bytes) => void this.answers.push(() => this.engine.onSigned(token, sign ? sign(bytes) : Buffer.from('SIGN'))),
      verify: (token, items) =>
        void this.answers.push(() =>
          this.engine.onVerified(
            token,
            items.map(({ signature, member }) => (verify ? verify(signature, member) : Buffer.from(signature).toString() !== 'BAD')),
          ),
        ),
      forget: (ids) => ask({ op: 'forget', ids }),
      status: (view) => {
        this.status = view
      },
      metric: () => undefined,
      log: (level, message) => void this.log.push(`${level} ${message}`),
      halt: (reason) => ask({ op: 'halt', reason }),
    }
  }
}
