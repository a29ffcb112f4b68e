import {
  Block,
  blockTransactions,
  decode,
  EpochBlockMetadata,
  EpochMarker,
  type EpochRecord,
  hex,
  SwapCancel,
  type SwapCandidate,
  SwapProposal,
  SwapReady,
  Transaction,
} from '../../proto/index.js'
import { callOf, candidateId, CONSENSUS_NAME, type EngineFactory, requestId } from '../../plugins/consensus/index.js'

const NAME_BYTES = Buffer.from(CONSENSUS_NAME)

interface Era {
  readonly epoch: bigint
  readonly engine: string
  /** Of the last block of the epoch before. */
  readonly activation: bigint
  /** Members that may fail. */
  readonly faults: number
  readonly markersNeeded: number
  readonly started: number[]
}

interface Pending {
  readonly id: string
  readonly proposal: SwapProposal
  readonly readies: { readonly member: number; readonly probe: string }[]
  readonly cancels: number[]
}

/** How many swaps a chain has seen. */
export interface SwapCounts {
  readonly prepared: number
  readonly happened: number
  readonly cancelled: number
}

/**
 * The rules of succession (design: hot swap), written a second time for checks: it reads the blocks of the one chain that the honest members have, in order, and says which epoch each
 * block is of, what it may hold, and what the world state has to say after it.
 */
export class SuccessionModel {
  readonly #eras: Era[]
  /** By block: what the state says after it, and the epoch that its successor is of. */
  readonly #after: { readonly state: string; readonly epoch: bigint }[] = []
  #pending: Pending | undefined
  #used = new Set<string>()
  /** Ids of rejected requests. */
  readonly #rejected = new Set<string>()
  #counts = { prepared: 0, happened: 0, cancelled: 0 }

  constructor(
    private readonly members: number,
    first: EngineFactory,
  ) {
    const faults = worst(first.tolerates(members))
    this.#eras = [{ epoch: 0n, engine: `${first.name}@${first.version}`, activation: 0n, faults, markersNeeded: 0, started: [] }]
  }

  get counts(): SwapCounts {
    return this.#counts
  }

  /** The epoch of block `number`; the block before it must have been read. */
  epochOf(number: bigint): bigint {
    return this.#after[Number(number) - 1]?.epoch ?? 0n
  }

  /** What `stateOf` gives after block `number`. */
  stateAfter(number: bigint): string | undefined {
    return this.#after[Number(number)]?.state
  }

  /** Reads the next block. Returns what is wrong with it. */
  read(number: bigint, bytes: Uint8Array): string[] {
    const wrong: string[] = []
    this.#recover(number, bytes)
    const era = this.#era
    const { epoch } = era
    if (epoch > 0n) {
      const said = metadataOf(bytes)
      if (said?.epoch !== epoch) wrong.push(`block ${number} says that it is of epoch ${said?.epoch}; it is of epoch ${epoch}`)
      wrong.push(...this.#rejects(number, said?.rejected ?? []))
    }
    for (const transaction of blockTransactions(bytes)) {
      if (this.#rejected.size > 0 && this.#rejected.has(requestId(transaction))) wrong.push(`block ${number} holds a transaction that was rejected before`)
      const call = readCall(transaction)
      if (call) wrong.push(...this.#call(number, call.call, call.args).map((text) => `block ${number}: '${call.call}': ${text}`))
      // A block may hold the marker that starts its epoch, and transactions after it.
      else if (!hasStarted(era))
        wrong.push(`block ${number} of epoch ${epoch} holds a client's transaction, and ${era.started.length} of ${era.markersNeeded} members had started`)
    }
    this.#after.push({ state: this.#state(), epoch: this.#era.epoch })
    return wrong
  }

  /** What a block says of requests that were executed in vain: after the first epoch that happens to each of them once. */
  #rejects(number: bigint, identities: readonly Uint8Array[]): string[] {
    const wrong: string[] = []
    for (const id of identities.map(hex)) {
      if (this.#rejected.has(id)) wrong.push(`block ${number} has rejected request ${id.slice(0, 8)}, which was rejected before`)
      this.#rejected.add(id)
    }
    return wrong
  }

  get #era(): Era {
    const era = this.#eras.at(-1)
    if (!era) throw new Error('there is always an epoch')
    return era
  }

  /** Operators may have begun an epoch that no swap decided: the first marker of it brings its record. */
  #recover(number: bigint, bytes: Uint8Array): void {
    const call = blockTransactions(bytes)
      .map(readCall)
      .find((read) => read?.call === 'start')
    const [argument] = call?.args ?? []
    const recovered = argument && decode(EpochMarker, argument).recovered
    if (!recovered || recovered.epoch !== this.#era.epoch + 1n || recovered.activation !== number - 1n) return
    const { epoch, engine, version, activation, markersNeeded } = recovered
    this.#eras.push({ epoch, engine: `${engine}@${version}`, activation, faults: worst(recovered), markersNeeded, started: [] })
    this.#pending = undefined
    this.#used = new Set()
    const before = this.#after.pop()
    if (before) this.#after.push({ ...before, epoch })
  }

  #call(number: bigint, call: string, [argument = new Uint8Array(0)]: readonly Uint8Array[]): string[] {
    switch (call) {
      case 'prepare':
        return this.#prepare(argument)
      case 'ready':
        return this.#ready(number, decode(SwapReady, argument))
      case 'cancel':
        return this.#cancel(decode(SwapCancel, argument))
      case 'start':
        return this.#start(decode(EpochMarker, argument))
    }
    return ['no such call']
  }

  #prepare(argument: Uint8Array): string[] {
    const proposal = decode(SwapProposal, argument)
    const id = hex(candidateId(argument))
    const wrong = this.#notOf(proposal.fromEpoch)
    if (this.#pending) wrong.push('another swap is under way')
    if (this.#used.has(id)) wrong.push('it was made before')
    this.#used.add(id)
    this.#counts.prepared += 1
    this.#pending = { id, proposal, readies: [], cancels: [] }
    return wrong
  }

  #ready(number: bigint, { fromEpoch, candidate, member, probe }: SwapReady): string[] {
    const wrong = this.#notOf(fromEpoch)
    const pending = this.#pending
    if (pending?.id !== hex(candidate)) return [...wrong, 'it is about another swap']
    if (pending.readies.some((other) => other.member === member)) wrong.push(`member ${member} twice`)
    pending.readies.push({ member, probe: hex(probe) })
    const alike = new Set(pending.readies.filter((other) => other.probe === hex(probe)).map((other) => other.member))
    const { faults, epoch } = this.#era
    if (alike.size < this.members - faults) return wrong
    const { engine, version } = pending.proposal
    const next = worst(pending.proposal)
    this.#eras.push({
      epoch: epoch + 1n,
      engine: `${engine}@${version}`,
      activation: number,
      faults: next,
      markersNeeded: this.members - Math.max(faults, next),
      started: [],
    })
    this.#counts.happened += 1
    this.#pending = undefined
    this.#used = new Set()
    return wrong
  }

  #cancel({ fromEpoch, candidate, member, byOperator }: SwapCancel): string[] {
    const wrong = this.#notOf(fromEpoch)
    const pending = this.#pending
    if (pending?.id !== hex(candidate)) return [...wrong, 'it is about another swap']
    if (!byOperator && pending.cancels.includes(member)) wrong.push(`member ${member} twice`)
    pending.cancels.push(member)
    if (!byOperator && new Set(pending.cancels).size <= this.#era.faults) return wrong
    this.#counts.cancelled += 1
    this.#pending = undefined
    return wrong
  }

  #start({ epoch, member }: EpochMarker): string[] {
    const wrong = this.#notOf(epoch)
    const { started } = this.#era
    if (started.includes(member)) wrong.push(`member ${member} twice`)
    started.push(member)
    return wrong
  }

  #notOf(epoch: bigint): string[] {
    return epoch === this.#era.epoch ? [] : [`it is of epoch ${epoch}, and this is ${this.#era.epoch}`]
  }

  #state(): string {
    const { epoch, engine, activation, started } = this.#era
    const pending = this.#pending
    return textOf({ epoch, engine, activation, started }, pending && { id: pending.id, readies: pending.readies.length, cancels: pending.cancels.length })
  }
}

/** What the world state says of the succession, in the words of the model. `record`: none in epoch 0. */
export function stateOf(first: EngineFactory, record: EpochRecord | undefined, candidate: SwapCandidate | undefined): string {
  const era = record
    ? { epoch: record.epoch, engine: `${record.engine}@${record.version}`, activation: record.activation, started: record.started }
    : { epoch: 0n, engine: `${first.name}@${first.version}`, activation: 0n, started: [] }
  return textOf(era, candidate && { id: hex(candidate.id), readies: candidate.readies.length, cancels: candidate.cancels.length })
}

function textOf(
  { epoch, engine, activation, started }: { epoch: bigint; engine: string; activation: bigint; started: readonly number[] },
  pending: { readonly id: string; readonly readies: number; readonly cancels: number } | undefined,
): string {
  const candidate = pending ? `candidate ${pending.id.slice(0, 8)} with ${pending.readies} ready, ${pending.cancels} against` : 'no candidate'
  return `epoch ${epoch} ${engine} after block ${activation}, started ${started.join() || 'nobody'}, ${candidate}`
}

function hasStarted({ epoch, started, markersNeeded }: Era): boolean {
  return epoch === 0n || started.length >= markersNeeded
}

function worst({ crashed, byzantine }: { readonly crashed: number; readonly byzantine: number }): number {
  return Math.max(crashed, byzantine)
}

function readCall(transaction: Uint8Array): ReturnType<typeof callOf> {
  const bytes = Buffer.from(transaction.buffer, transaction.byteOffset, transaction.length)
  return bytes.includes(NAME_BYTES) ? callOf(decode(Transaction, transaction)) : undefined
}

function metadataOf(block: Uint8Array): EpochBlockMetadata | undefined {
  const { consensusMetadata } = decode(Block, block)
  return consensusMetadata.length === 0 ? undefined : decode(EpochBlockMetadata, consensusMetadata)
}
