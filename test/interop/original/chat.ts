import {
  Block,
  decode,
  encode,
  HelloMessage,
  Message,
  Message_Type as T,
  type PeerEndpoint,
  PeersMessage,
  SyncBlockRange,
  SyncBlocks,
  SyncStateDeltas,
  SyncStateDeltasRequest,
  SyncStateSnapshot,
  SyncStateSnapshotRequest,
} from '../../../proto/index.js'
import { encodeChanges, type OriginalLedger } from './ledger.js'
import type { Stream, Surroundings } from './surroundings.js'

const NOTHING = new Uint8Array(0)

export interface ChatPeer {
  readonly world: Surroundings
  readonly endpoint: PeerEndpoint
  readonly ledger: OriginalLedger
  readonly periodMs: number
  readonly channels: { readonly blocks: number; readonly deltas: number; readonly snapshot: number }
  readonly isValidator: boolean
  /** False: there is one of that name. */
  register(chat: Chat): boolean
  deregister(chat: Chat): void
  known(address: string): void
  endpoints(): PeerEndpoint[]
  found(peers: readonly PeerEndpoint[]): void
  consensus(chat: Chat, payload: Uint8Array): void
  counts: Record<string, number>
}

/** What waits for the reader of one request: bounded, and given up when it is full (spec/wire.md §11.5). */
class Channel<V> {
  id = 1n
  private items: V[] = []
  private isClosed = true
  private waiting: ((item: V | undefined) => void) | undefined

  constructor(
    private readonly bound: number,
    private readonly overflowed: () => void,
  ) {}

  open(): bigint {
    this.close()
    this.isClosed = false
    this.items = []
    return ++this.id
  }

  close(): void {
    this.isClosed = true
    this.waiting?.(undefined)
    this.waiting = undefined
  }

  push(id: bigint, item: V): void {
    if (id !== this.id || this.isClosed) return
    if (this.waiting) {
      const take = this.waiting
      this.waiting = undefined
      take(item)
    } else if (this.items.length < this.bound) this.items.push(item)
    else {
      this.overflowed()
      this.id++
      this.isClosed = true
    }
  }

  /** Undefined: closed, or nothing came in time. */
  next(world: Surroundings, timeoutMs: number): Promise<V | undefined> {
    const item = this.items.shift()
    if (item !== undefined) return Promise.resolve(item)
    if (this.isClosed) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const cancel = world.after(timeoutMs, () => {
        this.waiting = undefined
        resolve(undefined)
      })
      this.waiting = (got) => {
        cancel()
        resolve(got)
      }
    })
  }
}

/** One stream of an original: the same at both ends (spec/wire.md §11). */
export class Chat {
  state: 'created' | 'established' | 'over' = 'created'
  remote: PeerEndpoint | undefined
  isRegistered = false
  private readonly blocks: Channel<{ readonly range: SyncBlockRange; readonly blocks: readonly Uint8Array[] }>
  private readonly deltas: Channel<SyncStateDeltas>
  private readonly snapshot: Channel<SyncStateSnapshot>
  private stopTicking = (): void => undefined

  constructor(
    private readonly stream: Stream,
    readonly isInitiator: boolean,
    private readonly peer: ChatPeer,
  ) {
    const lost = (kind: string) => (): void => this.count(`${kind} queue overflowed`)
    this.blocks = new Channel(peer.channels.blocks, lost('blocks'))
    this.deltas = new Channel(peer.channels.deltas, lost('deltas'))
    this.snapshot = new Channel(1_000_000, lost('snapshot'))
    stream.listen({ message: (bytes) => this.receive(bytes), closed: () => this.over() })
    if (isInitiator) this.hello()
  }

  get name(): string {
    return this.remote?.ID?.name ?? ''
  }

  send(type: T, payload: Uint8Array = NOTHING, hasTime = false): boolean {
    if (this.state === 'over') return false
    return this.stream.write(encode(Message, { type, timestamp: hasTime ? this.peer.world.time() : undefined, payload, signature: NOTHING }))
  }

  end(): void {
    this.stream.end()
    this.over()
  }

  private count(what: string): void {
    this.peer.counts[what] = (this.peer.counts[what] ?? 0) + 1
  }

  private hello(): void {
    this.send(T.DISC_HELLO, encode(HelloMessage, { peerEndpoint: this.peer.endpoint, blockchainInfo: this.peer.ledger.info() }), true)
  }

  private over(): void {
    if (this.state === 'over') return
    this.state = 'over'
    this.stopTicking()
    for (const channel of [this.blocks, this.deltas, this.snapshot]) channel.close()
    if (this.isRegistered) this.peer.deregister(this)
  }

  private reject(type: T): void {
    this.count(`${T[type] ?? type} rejected in ${this.state}`)
  }

  private receive(bytes: Uint8Array): void {
    if (this.state === 'over') return
    const { type, payload, timestamp, signature } = decode(Message, bytes)
    this.count(`got ${T[type] ?? type}`)
    const isTimed = type === T.DISC_HELLO || type === T.SYNC_BLOCK_ADDED
    if ((timestamp !== undefined) !== isTimed) this.count(`${T[type]} ${isTimed ? 'without' : 'with'} time`)
    if (signature.length > 0) this.count('signed')
    if (type === T.CONSENSUS) {
      if (this.peer.isValidator) this.peer.consensus(this, payload)
      else this.reject(type)
    } else if (type === T.DISC_HELLO) {
      if (this.state === 'created') this.onHello(payload)
      else this.reject(type)
    } else if (this.state !== 'established') this.reject(type)
    else this.handle(type, payload)
  }

  private onHello(payload: Uint8Array): void {
    const { peerEndpoint, blockchainInfo } = decode(HelloMessage, payload)
    if (!peerEndpoint?.ID) throw new Error('a HELLO without an ID')
    if (!blockchainInfo) this.count('HELLO without chain info')
    this.remote = peerEndpoint
    if (!this.isInitiator) this.hello()
    if (!this.peer.register(this)) {
      this.count('duplicate handler')
      return
    }
    this.isRegistered = true
    this.state = 'established'
    this.peer.known(peerEndpoint.address)
    const tick = (): void => {
      this.stopTicking = this.peer.world.after(this.peer.periodMs, () => {
        this.send(T.DISC_GET_PEERS)
        tick()
      })
    }
    tick()
  }

  private handle(type: T, payload: Uint8Array): void {
    switch (type) {
      case T.DISC_GET_PEERS:
        this.send(T.DISC_PEERS, encode(PeersMessage, { peers: this.peer.endpoints() }))
        return
      case T.DISC_PEERS:
        return this.peer.found(decode(PeersMessage, payload).peers)
      case T.SYNC_BLOCK_ADDED:
        return
      case T.SYNC_GET_BLOCKS:
        return this.serveBlocks(decode(SyncBlockRange, payload))
      case T.SYNC_STATE_GET_DELTAS:
        return this.serveDeltas(decode(SyncStateDeltasRequest, payload))
      case T.SYNC_STATE_GET_SNAPSHOT:
        return this.serveSnapshot(decode(SyncStateSnapshotRequest, payload))
      case T.SYNC_BLOCKS: {
        const { range, blocks } = decode(SyncBlocks, payload)
        if (!range) throw new Error('SYNC_BLOCKS without a range')
        return this.blocks.push(range.correlationId, { range, blocks: blocks.map((block) => encode(Block, block)) })
      }
      case T.SYNC_STATE_DELTAS: {
        const deltas = decode(SyncStateDeltas, payload)
        if (!deltas.range) throw new Error('SYNC_STATE_DELTAS without a range')
        return this.deltas.push(deltas.range.correlationId, deltas)
      }
      case T.SYNC_STATE_SNAPSHOT: {
        const piece = decode(SyncStateSnapshot, payload)
        return this.snapshot.push(piece.request?.correlationId ?? 0n, piece)
      }
      case T.UNDEFINED:
      case T.DISC_HELLO:
      case T.DISC_DISCONNECT:
      case T.DISC_NEWMSG:
      case T.CHAIN_TRANSACTION:
      case T.RESPONSE:
      case T.CONSENSUS:
      case T.WEFT_PACKED:
      case T.WEFT_EPOCH:
      default:
        return this.reject(type)
    }
  }

  // --- serving (spec/ledger.md §13.2): one message at a time, beside everything else

  private soon(steps: Iterator<() => void>): void {
    const next = (): void => {
      if (this.state === 'over') return
      const { value, done } = steps.next()
      if (done) return
      value()
      this.peer.world.after(0.05, next)
    }
    next()
  }

  private serveBlocks({ correlationId, start, end }: SyncBlockRange): void {
    const { ledger } = this.peer
    const send = (number: bigint, bytes: Uint8Array) => (): void =>
      void this.send(T.SYNC_BLOCKS, encode(SyncBlocks, { range: { correlationId, start: number, end: number }, blocks: [decode(Block, bytes)] }))
    function* steps(): Generator<() => void> {
      const step = start <= end ? 1n : -1n
      for (let n = start; n >= 0n && (end - n) * step >= 0n; n += step) {
        const block = ledger.block(Number(n))
        if (!block) return
        yield send(n, block)
      }
    }
    this.soon(steps())
  }

  private serveDeltas({ range }: SyncStateDeltasRequest): void {
    if (!range) throw new Error('SYNC_STATE_GET_DELTAS without a range')
    const { correlationId, start, end } = range
    if (start > end && end === 0n) throw new Error('a request for deltas down to 0 never ends here')
    const { ledger } = this.peer
    const send = (n: bigint, delta: Uint8Array) => (): void =>
      void this.send(T.SYNC_STATE_DELTAS, encode(SyncStateDeltas, { range: { correlationId, start: n, end: n }, deltas: [delta] }))
    function* steps(): Generator<() => void> {
      const step = start <= end ? 1n : -1n
      for (let n = start; n >= 0n && (end - n) * step >= 0n; n += step) {
        const delta = ledger.deltas.get(Number(n))
        if (!delta) return
        yield send(n, delta)
      }
    }
    this.soon(steps())
  }

  private serveSnapshot(request: SyncStateSnapshotRequest): void {
    const { ledger } = this.peer
    if (ledger.height === 0) return
    const blockNumber = BigInt(ledger.height - 1)
    const pieces = [...ledger.state].map(([composite, value]) => {
      const zero = composite.indexOf('\0')
      return encodeChanges([{ chaincode: composite.slice(0, zero), key: composite.slice(zero + 1), value, previous: undefined }])
    })
    const send = (delta: Uint8Array, sequence: bigint) => (): void =>
      void this.send(T.SYNC_STATE_SNAPSHOT, encode(SyncStateSnapshot, { delta, sequence, blockNumber, request }))
    function* steps(): Generator<() => void> {
      for (const [index, piece] of pieces.entries()) yield send(piece, BigInt(index))
      yield send(NOTHING, BigInt(Math.max(1, pieces.length)))
    }
    this.soon(steps())
  }

  // --- asking

  askBlocks(start: bigint, end: bigint): void {
    this.send(T.SYNC_GET_BLOCKS, encode(SyncBlockRange, { correlationId: this.blocks.open(), start, end }))
  }

  nextBlocks(timeoutMs: number): Promise<{ readonly range: SyncBlockRange; readonly blocks: readonly Uint8Array[] } | undefined> {
    return this.blocks.next(this.peer.world, timeoutMs)
  }

  askDeltas(start: bigint, end: bigint): void {
    this.send(T.SYNC_STATE_GET_DELTAS, encode(SyncStateDeltasRequest, { range: { correlationId: this.deltas.open(), start, end } }))
  }

  nextDeltas(timeoutMs: number): Promise<SyncStateDeltas | undefined> {
    return this.deltas.next(this.peer.world, timeoutMs)
  }

  askSnapshot(): void {
    this.send(T.SYNC_STATE_GET_SNAPSHOT, encode(SyncStateSnapshotRequest, { correlationId: this.snapshot.open() }))
  }

  nextPiece(timeoutMs: number): Promise<SyncStateSnapshot | undefined> {
    return this.snapshot.next(this.peer.world, timeoutMs)
  }
}
