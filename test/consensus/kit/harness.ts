import type { Clock, LogFacts, Logger } from '../../../kernel/index.js'
import {
  type ConsensusHost,
  type ConsensusHostOptions,
  type ConsensusTransport,
  createConsensusHost,
  type Engine,
  type EngineEvent,
  type EngineFactory,
  type EngineHost,
  type EngineStart,
  type MemberIndex,
  type OutboundMessage,
} from '../../../plugins/consensus/index.js'
import { createVirtualClock, VirtualTime } from '../../kit/virtual-clock.js'
import { FakeLedger, fakeChaincode } from './fake-ledger.js'
import { MemoryStore } from './memory-store.js'

/** An engine made of a few handlers, for one test. */
export function engineOf(create: (host: EngineHost, start: EngineStart) => Engine): EngineFactory {
  return {
    name: 'test',
    version: '1',
    agreement: false,
    tolerates: () => ({ crashed: 0, byzantine: 0 }),
    parseOptions: (raw) => raw,
    create: (host, _options, start) => create(host, start),
  }
}

/** Keeps log lines. */
export class MemoryLog implements Logger {
  readonly module = 'test'
  readonly lines: string[] = []
  critical = (message: string, facts?: LogFacts) => this.add('critical', message, facts)
  error = (message: string, facts?: LogFacts) => this.add('error', message, facts)
  warning = (message: string, facts?: LogFacts) => this.add('warning', message, facts)
  notice = (message: string, facts?: LogFacts) => this.add('notice', message, facts)
  info = (message: string, facts?: LogFacts) => this.add('info', message, facts)
  debug = (message: string, facts?: LogFacts) => this.add('debug', message, facts)
  isEnabled(): boolean {
    return true
  }
  in(): Logger {
    return this
  }
  private add(level: string, message: string, facts: LogFacts = {}): void {
    this.lines.push([level, message, ...Object.entries(facts).map(([name, value]) => `${name}=${String(value)}`)].join(' '))
  }
}

/** A transport whose other end is the test. */
export class ManualTransport implements ConsensusTransport {
  readonly sent: { to: MemberIndex; text: string }[] = []
  message: (from: MemberIndex, bytes: Uint8Array) => void = () => undefined
  peer: (member: MemberIndex, up: boolean) => void = () => undefined
  send(to: MemberIndex, bytes: Uint8Array): void {
    this.sent.push({ to, text: Buffer.from(bytes).toString() })
  }
  receive(handlers: { message(from: MemberIndex, bytes: Uint8Array): void; peer(member: MemberIndex, up: boolean): void }): void {
    this.message = (from, bytes) => handlers.message(from, bytes)
    this.peer = (member, up) => handlers.peer(member, up)
  }
}

export interface Bench {
  readonly host: ConsensusHost
  readonly store: MemoryStore
  readonly ledger: FakeLedger
  readonly transport: ManualTransport
  readonly log: MemoryLog
  readonly time: VirtualTime
  readonly clock: Clock
  readonly events: EngineEvent[]
  readonly sent: OutboundMessage[]
  readonly fatal: unknown[]
}

/** A host on virtual time, a store in memory, a ledger without state and a transport in the test's hands. */
export function createBench(
  factory: EngineFactory,
  overrides: Partial<ConsensusHostOptions> & { store?: MemoryStore; time?: VirtualTime; size?: number } = {},
): Bench {
  const { size = 4, time = new VirtualTime(), store = new MemoryStore(), ...options } = overrides
  const ledger = new FakeLedger(store)
  const transport = new ManualTransport()
  const log = new MemoryLog()
  const events: EngineEvent[] = []
  const sent: OutboundMessage[] = []
  const fatal: unknown[] = []
  const clock = createVirtualClock(time)
  const host = createConsensusHost({
    store,
    ledger,
    chaincode: fakeChaincode(),
    engine: { factory, options: {} },
    members: Array.from({ length: size }, (_, index) => ({ index, id: `vp${index}` })),
    self: 0,
    seed: 1n,
    clock,
    log,
    transport,
    onFatal: (reason) => fatal.push(reason),
    observer: { event: (event) => events.push(event), sent: (message) => sent.push(message) },
    ...options,
  })
  return { host, store, ledger, transport, log, time, clock, events, sent, fatal }
}

/** Lets promises settle: nothing here waits for real time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Runs virtual time for a while, promises included. */
export async function run(time: VirtualTime, forMs: number): Promise<void> {
  const until = time.nowMs + forMs
  await settle()
  for (let next = time.nextMs(); next !== undefined && next <= until; next = time.nextMs()) {
    time.step()
    await settle()
  }
  time.advanceTo(until)
}
