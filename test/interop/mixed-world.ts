import { Block, ChaincodeInvocationSpec, decode, encode, Transaction, Transaction_Type } from '../../proto/index.js'
import { createRandom } from '../kit/random.js'
import { createVirtualClock, VirtualTime } from '../kit/virtual-clock.js'
import { blockHashOf, OriginalLedger } from './original/ledger.js'
import { Original, type OriginalDisk } from './original/peer.js'
import type { Surroundings } from './original/surroundings.js'
import { VirtualStream } from './virtual-stream.js'
import { WeftPeer } from './weft-peer.js'

export interface MixedOptions {
  readonly seed?: number
  /** 'o' an original, 'w' Weft, for vp0 on. */
  readonly kinds: string
  readonly K?: number
  readonly logMultiplier?: number
  readonly batchSize?: number
  readonly batchMs?: number
  readonly requestMs?: number
  readonly viewChangeMs?: number
  readonly resendMs?: number
  readonly nullRequestMs?: number
  readonly viewChangePeriod?: number
  readonly maxDeltas?: number
  readonly deltaHistory?: number
  readonly jitterMs?: number
  readonly executionMs?: number
  readonly log?: (line: string) => void
}

const SHAPE = { buckets: 1009, grouping: 5 }

/** Validators of both kinds in one process, in virtual time, over Chat streams as they are on the wire. */
export class MixedWorld {
  readonly time = new VirtualTime()
  readonly random
  readonly originals = new Map<string, Original>()
  readonly wefts = new Map<string, WeftPeer>()
  readonly names: readonly string[]
  readonly submitted: string[] = []
  readonly lines: string[] = []
  readonly panics: string[] = []
  private readonly streams = new Set<VirtualStream>()
  private readonly disks = new Map<string, OriginalDisk>()
  private readonly cuts = new Set<string>()
  private readonly down = new Set<string>()
  /** Somebody was killed or cut off: originals may lag until there is enough traffic. */
  wasRestarted = false
  private txs = 0

  constructor(readonly options: MixedOptions) {
    this.random = createRandom(options.seed ?? 1)
    this.names = Array.from(options.kinds, (_, index) => `vp${index}`)
    for (const name of this.names) if (this.isWeft(name)) this.wefts.set(name, this.makeWeft(name))
  }

  isWeft(name: string): boolean {
    return this.options.kinds[Number(name.slice(2))] === 'w'
  }

  async start(...names: readonly string[]): Promise<void> {
    for (const name of names.length === 0 ? this.names : names) await this.startOne(name)
  }

  kill(name: string): void {
    this.wasRestarted = true
    this.down.add(name)
    this.wefts.get(name)?.kill()
    this.originals.get(name)?.kill()
    this.noticePanics()
    this.originals.delete(name)
    for (const stream of this.streams) {
      if (!stream.isOpen) this.streams.delete(stream)
      else if (stream.owner === name || stream.remote === `${name}:7051` || stream.remote === name) stream.reset()
    }
  }

  /** Deletes what a dead validator stored. */
  wipe(name: string): void {
    this.wefts.get(name)?.wipe()
    this.disks.delete(name)
  }

  /** No byte passes between two any more; the streams seem to live. */
  cut(a: string, b: string): void {
    this.wasRestarted = true
    this.cuts.add([a, b].sort().join(' '))
  }

  heal(): void {
    for (const pair of this.cuts) {
      const [a = '', b = ''] = pair.split(' ')
      for (const stream of this.streams) if (stream.isOpen && this.ends(stream).includes(a) && this.ends(stream).includes(b)) stream.reset()
    }
    this.cuts.clear()
  }

  private ends({ owner, remote }: VirtualStream): string[] {
    return [owner, remote.replace(':7051', '')]
  }

  /** Submits an invocation at one validator; returns its txid. */
  submit(name: string, ...args: readonly string[]): string {
    const txid = `tx${++this.txs}-${name}`
    const bytes = invocation(txid, args.length > 0 ? args : ['put', `k${this.txs % 17}`, txid])
    this.submitBytes(name, bytes)
    return txid
  }

  submitBytes(name: string, bytes: Uint8Array): void {
    this.submitted.push(decode(Transaction, bytes).txid)
    const original = this.originals.get(name)
    if (original) original.submit(bytes)
    else
      this.wefts
        .get(name)
        ?.host?.submit(bytes)
        .catch((error: unknown) => {
          this.note(`${name}: refused ${String(error)}`)
          this.submitted.splice(this.submitted.indexOf(decode(Transaction, bytes).txid), 1)
        })
  }

  /** Lets virtual time pass. */
  async run(ms: number): Promise<void> {
    const endMs = this.time.nowMs + ms
    for (let turn = 0; ; turn++) {
      // All microtasks run before the tick that one of them asks for; whatever waits for a real turn gets one now and then.
      await new Promise<void>((resolve) => (turn % 64 === 0 ? setImmediate(resolve) : queueMicrotask(() => process.nextTick(resolve))))
      const next = this.time.nextMs()
      if (next === undefined || next > endMs) break
      this.time.step()
      this.noticePanics()
    }
    this.time.advanceTo(endMs)
  }

  async runUntil(what: string, isReached: () => boolean, limitMs: number): Promise<void> {
    const endMs = this.time.nowMs + limitMs
    while (!isReached()) {
      if (this.time.nowMs >= endMs) throw new Error(`not within ${limitMs} ms: ${what}\n${this.describe()}`)
      await this.run(20)
      if (this.panics.length > 0) throw new Error(`an original panicked: ${this.panics.join('; ')}\n${this.describe()}`)
    }
  }

  /** Transactions that a Weft validator accepted: an original may lose its own. */
  accepted(): string[] {
    return this.submitted.filter((txid) => this.isWeft(txid.slice(txid.indexOf('vp'))))
  }

  /** Whether everybody who is up is connected to all others. */
  isMeshed(): boolean {
    const connected = (name: string): number => this.originals.get(name)?.names().length ?? this.wefts.get(name)?.network?.peers().length ?? 0
    return this.up().every((name) => connected(name) === this.up().length - 1)
  }

  /** What originals were told and should not have been: messages with a time that have none in v0.6, signatures, unknown types, what overflows their queues. */
  oddities(): string[] {
    const found: string[] = []
    for (const [name, { counts }] of this.originals) {
      for (const what of Object.keys(counts)) if (/time|signed|overflow|chain info|^\d+ rejected|got \d/.test(what)) found.push(`${name}: ${what}`)
    }
    return found
  }

  /** The stored blocks of a validator. */
  blocks(name: string): (Uint8Array | undefined)[] {
    const original = this.originals.get(name)
    if (original) return original.ledger.blocks
    const ledger = this.wefts.get(name)?.ledger
    return ledger ? Array.from({ length: Number(ledger.height()) }, (_, number) => ledger.blockBytes(BigInt(number))) : []
  }

  height(name: string): number {
    return this.originals.get(name)?.ledger.height ?? Number(this.wefts.get(name)?.ledger?.height() ?? 0n)
  }

  heights(): string {
    return this.names.map((name) => `${name}${this.isWeft(name) ? 'w' : 'o'}:${this.down.has(name) ? 'down' : this.height(name)}`).join(' ')
  }

  up(): string[] {
    return this.names.filter((name) => !this.down.has(name))
  }

  /** What differs between the chains, as text; empty: one is the beginning of the other, for all. */
  differences(names = this.up()): string[] {
    const found: string[] = []
    const hashes = new Map<number, string>()
    for (const name of names)
      for (const [number, block] of this.blocks(name).entries()) {
        if (!block) continue
        const hash = blockHashOf(block).toString('hex', 0, 8)
        const known = hashes.get(number) ?? hash
        hashes.set(number, known)
        if (known !== hash) found.push(`block ${number} of ${name} is ${hash}, not ${known}`)
      }
    return found
  }

  /** How often each transaction is in the chain of the highest validator. */
  executions(): Map<string, number> {
    const [best = ''] = this.up().sort((a, b) => this.height(b) - this.height(a))
    const counts = new Map<string, number>()
    for (const block of this.blocks(best)) {
      for (const { txid } of block ? decode(Block, block).transactions : []) counts.set(txid, (counts.get(txid) ?? 0) + 1)
    }
    return counts
  }

  describe(): string {
    const engines = this.names.map((name) => {
      const core = this.originals.get(name)?.engine?.core
      const host = this.wefts.get(name)?.host
      if (core)
        return `${name} o view ${core.view}${core.activeView ? '' : '!'} exec ${core.lastExec} h ${core.h} seq ${core.seqNo} out ${core.outstanding.size} reqs ${this.originals.get(name)?.engine?.outstanding.map.size} skip ${core.skipInProgress} links ${this.originals.get(name)?.names().join() ?? ''}`
      return `${name} w ${JSON.stringify(host?.status(), (_key, value: unknown) => (typeof value === 'bigint' ? Number(value) : value))}`
    })
    return [`at ${this.time.nowMs.toFixed(0)} ms: ${this.heights()}`, ...engines, ...this.lines.slice(-60)].join('\n')
  }

  private noticePanics(): void {
    for (const [name, { panic }] of this.originals) if (panic !== undefined && !this.panics.includes(`${name}: ${panic}`)) this.panics.push(`${name}: ${panic}`)
  }

  private note(line: string): void {
    const text = `${this.time.nowMs.toFixed(1)} ${line}`
    this.lines.push(text)
    this.options.log?.(text)
  }

  private async startOne(name: string): Promise<void> {
    this.down.delete(name)
    if (this.isWeft(name)) {
      const peer = this.wefts.get(name)
      const starting = { isOver: false }
      const started = peer?.start().finally(() => {
        starting.isOver = true
      })
      while (!starting.isOver) await this.run(5)
      await started
      return
    }
    const { kinds, K = 10, logMultiplier = 4, batchSize = 500, batchMs = 1000, requestMs = 2000, viewChangeMs = 2000, resendMs = 2000 } = this.options
    const clock = createVirtualClock(this.time)
    const surroundings: Surroundings = {
      nowMs: () => this.time.nowMs,
      time: () => clock.now(),
      after: (ms, task) => this.time.schedule(ms, task),
      random: () => this.random.next(),
      log: (text) => this.note(text),
    }
    const disk = this.disks.get(name) ?? {
      ledger: new OriginalLedger({ ...SHAPE, deltaHistory: this.options.deltaHistory ?? 500 }, () => clock.now()),
      records: new Map(),
      addresses: new Set(),
    }
    this.disks.set(name, disk)
    const original = new Original(
      {
        name,
        address: `${name}:7051`,
        rootNodes: name === 'vp0' ? [] : ['vp0:7051'],
        shape: disk.ledger.shape,
        N: kinds.length,
        f: Math.floor((kinds.length - 1) / 3),
        K,
        logMultiplier,
        batchSize,
        batchMs,
        requestMs: batchMs >= requestMs ? 1.5 * batchMs : requestMs,
        viewChangeMs,
        resendMs,
        nullRequestMs: this.options.nullRequestMs ?? 0,
        viewChangePeriod: this.options.viewChangePeriod ?? 0,
        ...(this.options.maxDeltas === undefined ? {} : { maxDeltas: this.options.maxDeltas }),
        executionMs: this.options.executionMs ?? 1,
        dial: async (address) => (await this.connect(name, address)).ofOriginal,
      },
      surroundings,
      disk,
    )
    this.originals.set(name, original)
    original.start()
  }

  private makeWeft(name: string): WeftPeer {
    const { K = 10, logMultiplier = 4, batchSize = 500, batchMs = 1000, requestMs = 2000, viewChangeMs = 2000, resendMs = 2000 } = this.options
    return new WeftPeer(
      {
        name,
        address: `${name}:7051`,
        members: this.names,
        rootNodes: name === 'vp0' ? [] : ['vp0:7051'],
        ledger: { numBuckets: SHAPE.buckets, maxGroupingAtEachLevel: SHAPE.grouping, deltaHistorySize: this.options.deltaHistory ?? 500 },
        pbft: {
          K,
          logmultiplier: logMultiplier,
          batchsize: batchSize,
          viewchangeperiod: this.options.viewChangePeriod ?? 0,
          'timeout.batch': `${batchMs}ms`,
          'timeout.request': `${requestMs}ms`,
          'timeout.viewchange': `${viewChangeMs}ms`,
          'timeout.resendviewchange': `${resendMs}ms`,
          'timeout.nullrequest': `${this.options.nullRequestMs ?? 0}ms`,
        },
        sync: this.options.maxDeltas === undefined ? {} : { 'statetransfer.maxdeltas': this.options.maxDeltas },
        executionMs: this.options.executionMs ?? 1,
        seed: this.options.seed ?? 1,
        random: () => this.random.next(),
        dial: async (address) => (await this.connect(name, address)).ofWeft,
        log: (line) => this.note(line),
      },
      this.time,
    )
  }

  private async connect(from: string, address: string): Promise<VirtualStream> {
    const to = address.replace(':7051', '')
    await new Promise<void>((resolve) => void this.time.schedule(1, resolve))
    const isOpen = this.up().includes(to) && !this.down.has(from) && !this.cuts.has([from, to].sort().join(' '))
    const target = this.originals.get(to) ?? this.wefts.get(to)?.network
    if (!isOpen || !target) throw new Error(`${address} refuses connections`)
    const wire = {
      delayMs: () => 0.3 + this.random.next() * (this.options.jitterMs ?? 1),
      isCut: (a: string, b: string) => this.cuts.has([a, b.replace(':7051', '')].sort().join(' ')),
    }
    const mine = new VirtualStream(this.time, wire, from, address)
    const theirs = new VirtualStream(this.time, wire, to, from)
    mine.other = theirs
    theirs.other = mine
    this.streams.add(mine)
    this.streams.add(theirs)
    if (target instanceof Original) target.accept(theirs.ofOriginal)
    else target.accept(theirs.ofWeft)
    return mine
  }
}

export function invocation(txid: string, args: readonly string[], seconds = 1n): Uint8Array {
  const spec = { chaincodeSpec: { chaincodeID: { name: 'mycc' }, ctorMsg: { args: args.map((arg) => Buffer.from(arg)) } } }
  return encode(
    Transaction,
    Transaction.fromPartial({
      type: Transaction_Type.CHAINCODE_INVOKE,
      chaincodeID: Buffer.from('12046d796363', 'hex'),
      payload: encode(ChaincodeInvocationSpec, ChaincodeInvocationSpec.fromPartial(spec)),
      txid,
      timestamp: { seconds, nanos: 0 },
    }),
  )
}
