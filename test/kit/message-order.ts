import { Buffer } from 'node:buffer'
import { decode, HostNote, orUndefined } from '../../proto/index.js'
import type { ConsensusTransport, EngineEvent, MemberIndex } from '../../plugins/consensus/index.js'
import type { Channels } from './channels.js'

/** What arrived for the engine of one epoch from one member. */
interface Stream {
  readonly arrived: Uint8Array[]
  /** Of `arrived`: what the engine may have to be told next. More than one after a gap, if messages are alike. */
  next: number[]
  /** The engine was told that the member went or came since its last message: some may be missing. */
  mayMiss: boolean
}

const NOTHING = new Uint8Array(0)
/** So many messages that were told are forgotten at once. */
const FORGET_AT = 256

export interface MessageOrderOptions {
  /** Liars may have their messages dropped. */
  readonly isHonest: (member: MemberIndex) => boolean
  /** The epoch that the host is in. */
  readonly epoch: () => bigint
  /** Told what does not hold. */
  readonly wrong: (statement: string) => void
}

/**
 * What one host promises its engines of messages, checked from outside of it: the engine of an epoch gets what the engines of that epoch at other members said, all of it
 * and in order for each member, also what came before it began; only across `onPeer` may something be missing. One instance is for one life of a peer.
 */
export class MessageOrder {
  /** By epoch, then by member. */
  readonly #streams = new Map<bigint, Stream[]>()
  /** Of the epoch that was asked for last. */
  #last: { readonly epoch: bigint; readonly streams: Stream[] } | undefined
  readonly #begun = new Set<bigint>()

  constructor(private readonly options: MessageOrderOptions) {}

  /** The same channels, watched. */
  watch({ transport, notes }: Channels): Channels {
    return {
      transport: watched(transport, (from, bytes) => this.#arrived(from, 0n, bytes)),
      notes: watched(notes, (from, bytes) => this.#noted(from, bytes)),
    }
  }

  /** An instance of the engine of an epoch begins. What another one before it was told, or not any more, it is not told again. */
  begins(epoch: bigint): void {
    if (this.#begun.has(epoch)) this.#streams.get(epoch)?.forEach((stream) => (stream.mayMiss = true))
    this.#begun.add(epoch)
  }

  /** The engine of an epoch is told something. */
  told(event: EngineEvent, epoch: bigint): void {
    if (event.type === 'peer' && !event.up) this.#stream(event.member, epoch).mayMiss = true
    else if (event.type === 'message' && this.options.isHonest(event.from)) this.#message(event.from, epoch, event.bytes)
  }

  #noted(from: MemberIndex, bytes: Uint8Array): void {
    const engine = readEngineMessage(bytes)
    if (engine && engine.epoch > 0n && engine.trial.length === 0) this.#arrived(from, engine.epoch, engine.message)
  }

  #arrived(from: MemberIndex, epoch: bigint, bytes: Uint8Array): void {
    if (!this.options.isHonest(from)) return
    const stream = this.#stream(from, epoch)
    stream.arrived.push(bytes)
    // Too far ahead to be kept: the engine that will begin then has a gap before its first message.
    if (epoch > 1n && epoch > this.options.epoch() + 1n) stream.mayMiss = true
  }

  #message(from: MemberIndex, epoch: bigint, bytes: Uint8Array): void {
    const stream = this.#stream(from, epoch)
    const { next, mayMiss } = stream
    const only = next[0] ?? 0
    if (mayMiss || next.length !== 1 || !isEqual(stream.arrived[only] ?? NOTHING, bytes)) return this.#find(stream, from, epoch, bytes)
    next[0] = only + 1
    if (only >= FORGET_AT) forgetTold(stream)
  }

  /** It is not the one that had to come, or not the only one that may. */
  #find(stream: Stream, from: MemberIndex, epoch: bigint, bytes: Uint8Array): void {
    const { next, mayMiss } = stream
    const isSame = (index: number): boolean => isEqual(stream.arrived[index] ?? NOTHING, bytes)
    const found = mayMiss ? laterIn(stream).filter(isSame) : next.filter(isSame)
    if (found.length === 0) {
      const isKnown = laterIn(stream).some(isSame)
      if (!isKnown) return this.options.wrong(`told the engine of epoch ${epoch} what the engine of that epoch at vp${from} did not say, or not now`)
      this.options.wrong(`kept messages of vp${from} from the engine of epoch ${epoch}, which was not told of a gap`)
    }
    stream.next = found.map((index) => index + 1)
    stream.mayMiss = false
    forgetTold(stream)
  }

  #stream(from: MemberIndex, epoch: bigint): Stream {
    if (this.#last?.epoch !== epoch) {
      const streams = this.#streams.get(epoch) ?? []
      this.#streams.set(epoch, streams)
      this.#last = { epoch, streams }
    }
    return (this.#last.streams[from] ??= { arrived: [], next: [0], mayMiss: false })
  }
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left === right || Buffer.compare(left, right) === 0
}

/** Of what arrived, all that may still be told. */
function laterIn({ arrived, next }: Stream): number[] {
  const first = Math.min(...next)
  return [...arrived.keys()].slice(Math.min(first, arrived.length))
}

function forgetTold(stream: Stream): void {
  const [only = 0, ...others] = stream.next
  const first = others.length === 0 ? only : Math.min(only, ...others)
  if (first < FORGET_AT || first > stream.arrived.length) return
  stream.arrived.splice(0, first)
  stream.next = stream.next.map((index) => index - first)
}

function watched(transport: ConsensusTransport, arrived: (from: MemberIndex, bytes: Uint8Array) => void): ConsensusTransport {
  return {
    send: (to, bytes) => transport.send(to, bytes),
    receive: (handlers) =>
      transport.receive({
        message(from, bytes) {
          arrived(from, bytes)
          handlers.message(from, bytes)
        },
        peer: (member, up) => handlers.peer(member, up),
      }),
  }
}

function readEngineMessage(bytes: Uint8Array): { readonly epoch: bigint; readonly trial: Uint8Array; readonly message: Uint8Array } | undefined {
  const note = orUndefined(() => decode(HostNote, bytes).note)
  return note?.$case === 'engine' ? note.value : undefined
}
