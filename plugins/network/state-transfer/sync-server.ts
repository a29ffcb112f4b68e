import { type Clock, messageOf } from '../../../kernel/index.js'
import {
  decode,
  encode,
  encodeSyncBlocks,
  type Message,
  Message_Type,
  SyncBlockRange,
  SyncStateDeltas,
  SyncStateDeltasRequest,
  SyncStateSnapshot,
  SyncStateSnapshotRequest,
} from '../../../proto/index.js'
import { encodeDelta, splitCompositeKey, StateDelta, type SyncableLedger } from '../../ledger/index.js'
import type { Link } from '../link.js'
import { encodeMessage } from '../messages.js'
import { SnapshotGate, type SnapshotPass } from './snapshot-gate.js'
import { NO_STATE } from './sync-client.js'

const NO_DELTA = new Uint8Array(0)
/** So often it is looked whether a neighbour that takes nothing keeps others waiting, or asks for something else. */
const LOOK_EVERY_MS = 5000

/** Kinds of requests; a new one of a kind takes the place of the former one of the same neighbour. */
type Kind = 'blocks' | 'deltas' | 'snapshot'

type Work = (state: Serving) => Promise<void>

interface Serving {
  isOver: boolean
  next: Work | undefined
}

export interface SyncServerOptions {
  readonly ledger: Pick<SyncableLedger, 'height' | 'blockBytes' | 'stateDelta' | 'stateSnapshot' | 'stateBlock'>
  readonly clock: Pick<Clock, 'elapsedMs'>
  readonly isValidator: (id: string) => boolean
  /** How long a neighbour may take nothing. */
  readonly patienceMs: number
  readonly log: (link: Link, what: string) => void
}

/**
 * Serves blocks, deltas and snapshots (spec/ledger.md §13.2, spec/wire.md §11.4). There is no error reply: what cannot be served just ends; a Weft peer, which
 * would wait in vain, is told by a reply without content. Nothing is expanded or read ahead: a reply is made when the neighbour's queue has room for it.
 */
export class SyncServer {
  private readonly serving = new Map<Link, Map<Kind, Serving>>()
  private readonly gate: SnapshotGate

  constructor(private readonly options: SyncServerOptions) {
    this.gate = new SnapshotGate(options.clock)
  }

  /** Begins to answer a request. Throws WireError or a PeerError for one that cannot be read. */
  received(link: Link, message: Message): void {
    if (message.type === Message_Type.SYNC_GET_BLOCKS) {
      const range = decode(SyncBlockRange, message.payload)
      this.serve(link, 'blocks', (state) => this.range(link, state, range, (number) => this.blockMessage(range, number), noBlock))
    } else if (message.type === Message_Type.SYNC_STATE_GET_DELTAS) {
      const { range } = decode(SyncStateDeltasRequest, message.payload)
      // On originals its absence ends the process.
      if (range === undefined) this.options.log(link, 'a request for deltas has no range')
      else this.serve(link, 'deltas', (state) => this.range(link, state, range, (number) => this.deltaMessage(range, number), noDelta))
    } else if (message.type === Message_Type.SYNC_STATE_GET_SNAPSHOT) {
      const request = decode(SyncStateSnapshotRequest, message.payload)
      this.serve(link, 'snapshot', (state) => this.snapshot(link, state, request))
    }
  }

  closed(link: Link): void {
    for (const state of this.serving.get(link)?.values() ?? []) {
      state.isOver = true
      state.next = undefined
    }
    this.serving.delete(link)
  }

  /** One at a time of a kind and neighbour, however many are asked for: the last one counts. */
  private serve(link: Link, kind: Kind, work: Work): void {
    const kinds = this.serving.get(link) ?? new Map<Kind, Serving>()
    this.serving.set(link, kinds)
    const running = kinds.get(kind)
    if (running !== undefined) {
      running.isOver = true
      running.next = work
      return
    }
    const state: Serving = { isOver: false, next: work }
    kinds.set(kind, state)
    void this.run(link, kind, state).finally(() => kinds.delete(kind))
  }

  private async run(link: Link, kind: Kind, state: Serving): Promise<void> {
    for (let work = state.next; work !== undefined; work = state.next) {
      state.next = undefined
      state.isOver = link.isClosed
      try {
        await work(state)
      } catch (error) {
        this.options.log(link, `${kind} cannot be served: ${messageOf(error)}`)
      }
    }
  }

  /** One message a number, up or down, until the first that is missing. */
  private async range(
    link: Link,
    state: Serving,
    { correlationId, start, end }: SyncBlockRange,
    message: (number: bigint) => Uint8Array | undefined,
    missing: (at: SyncBlockRange) => Uint8Array,
  ): Promise<void> {
    const step = start <= end ? 1n : -1n
    for (let number = start; number >= 0n && (end - number) * step >= 0n; number += step) {
      let isLast = false
      const made = (): Uint8Array | undefined => {
        const next = message(number)
        isLast = next === undefined
        return next ?? (link.hello?.weft === undefined ? undefined : missing({ correlationId, start: number, end: number }))
      }
      if (!(await this.send(link, state, made)) || isLast) return
    }
  }

  private blockMessage({ correlationId }: SyncBlockRange, number: bigint): Uint8Array | undefined {
    const { ledger } = this.options
    const block = number < ledger.height() ? ledger.blockBytes(number) : undefined
    return block && encodeMessage(Message_Type.SYNC_BLOCKS, encodeSyncBlocks({ correlationId, start: number, end: number }, [block]))
  }

  private deltaMessage({ correlationId }: SyncBlockRange, number: bigint): Uint8Array | undefined {
    const { ledger } = this.options
    const delta = number < ledger.height() ? ledger.stateDelta(number) : undefined
    return (
      delta && encodeMessage(Message_Type.SYNC_STATE_DELTAS, encode(SyncStateDeltas, { range: { correlationId, start: number, end: number }, deltas: [delta] }))
    )
  }

  /** After a failure part-way there is no terminator: the state would look complete (a defect of the original). */
  private async snapshot(link: Link, state: Serving, request: SyncStateSnapshotRequest): Promise<void> {
    const { ledger, isValidator } = this.options
    const pass = await this.gate.enter(isValidator(link.hello?.id ?? ''))
    try {
      // Neither a peer without blocks nor one in the middle of a transfer has a state to give.
      if (state.isOver) return
      if (ledger.height() === 0n || ledger.stateBlock() === undefined) return await this.noSnapshot(link, state, request)
      const snapshot = ledger.stateSnapshot()
      const piece = (delta: Uint8Array, sequence: bigint): Promise<boolean> =>
        this.send(
          link,
          state,
          () => encodeMessage(Message_Type.SYNC_STATE_SNAPSHOT, encode(SyncStateSnapshot, { delta, sequence, blockNumber: snapshot.block, request })),
          pass,
        )
      try {
        let sequence = 0n
        for await (const [compositeKey, value] of snapshot.entries) {
          if (!(await piece(pieceOf(compositeKey, value), sequence++))) return
        }
        // The original's terminator of an empty state has sequence 1.
        await piece(NO_DELTA, sequence === 0n ? 1n : sequence)
      } finally {
        await snapshot.release()
      }
    } finally {
      pass.leave()
    }
  }

  private async noSnapshot(link: Link, state: Serving, request: SyncStateSnapshotRequest): Promise<void> {
    if (link.hello?.weft === undefined) return
    const piece = encode(SyncStateSnapshot, { delta: NO_DELTA, sequence: 0n, blockNumber: NO_STATE, request })
    await this.send(link, state, () => encodeMessage(Message_Type.SYNC_STATE_SNAPSHOT, piece))
  }

  /**
   * Makes a message when there is room for one, and sends it as soon as there is room for all of it: other kinds take from the same. False: there is nothing to
   * send, the neighbour has gone, asks for something else, or takes nothing; or it is slow, and its snapshot has to give way to others.
   */
  private async send(link: Link, state: Serving, make: () => Uint8Array | undefined, snapshot?: SnapshotPass): Promise<boolean> {
    const { patienceMs, log } = this.options
    let message: Uint8Array | undefined
    let waitedMs = 0
    while (!state.isOver && !link.isClosed) {
      if (link.hasSyncRoom(message?.length)) {
        message ??= make()
        if (message === undefined) return false
        if (link.sendEncoded('sync', message)) {
          snapshot?.took(message.length)
          return true
        }
      }
      if (snapshot?.mustGiveWay) {
        log(link, 'a snapshot is not sent any further: it is taken slowly, and others wait')
        return false
      }
      if (waitedMs >= patienceMs) {
        log(link, `blocks or state are not sent any further: nothing was taken for ${patienceMs / 1000} s`)
        return false
      }
      const sliceMs = Math.min(LOOK_EVERY_MS, patienceMs - waitedMs)
      waitedMs = (await link.syncRoom(sliceMs, message?.length)) ? 0 : waitedMs + sliceMs
    }
    return false
  }
}

/** A delta with one new key (spec/ledger.md §13.2). */
function pieceOf(compositeKey: Uint8Array, value: Uint8Array): Uint8Array {
  const { chaincode, key } = splitCompositeKey(compositeKey)
  const delta = new StateDelta()
  delta.set(chaincode, key, value, undefined)
  return encodeDelta(delta)
}

function noBlock(range: SyncBlockRange): Uint8Array {
  return encodeMessage(Message_Type.SYNC_BLOCKS, encodeSyncBlocks(range, []))
}

function noDelta(range: SyncBlockRange): Uint8Array {
  return encodeMessage(Message_Type.SYNC_STATE_DELTAS, encode(SyncStateDeltas, { range, deltas: [] }))
}
