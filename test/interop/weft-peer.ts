import type { Logger } from '../../kernel/index.js'
import { type ConsensusHost, createConsensusHost, type ConsensusHostOptions } from '../../plugins/consensus/index.js'
import { createLedger, type ExecutedTransaction, type LedgerBatch, type LedgerSettings, type SyncableLedger } from '../../plugins/ledger/index.js'
import { AddressBook } from '../../plugins/network/address-book.js'
import type { ChatStream } from '../../plugins/network/chat-stream.js'
import { Greeter } from '../../plugins/network/greeter.js'
import { PeerNetwork } from '../../plugins/network/network.js'
import { createSync } from '../../plugins/network/state-transfer/create.js'
import { pbft } from '../../plugins/pbft/index.js'
import { ChaincodeInvocationSpec, decode, PeerEndpoint_Type, Transaction_Type } from '../../proto/index.js'
import { createVirtualClock, type VirtualTime } from '../kit/virtual-clock.js'
import { FakeStore } from '../ledger/fake-store.js'
import { type SyncSettings, syncSettings } from '../network/sync-settings.js'
import { recordingLogger } from '../network/world.js'
import { runTestChaincode } from './original/chaincode.js'

type Executor = ConsensusHostOptions['chaincode']

export interface WeftOptions {
  readonly name: string
  readonly address: string
  readonly members: readonly string[]
  readonly rootNodes: readonly string[]
  readonly ledger: Partial<LedgerSettings>
  readonly pbft: Readonly<Record<string, unknown>>
  readonly sync: Partial<SyncSettings>
  readonly executionMs?: number
  readonly seed: number
  readonly random: () => number
  readonly dial: (address: string) => Promise<ChatStream>
  readonly log: (line: string) => void
}

const NOTHING = new Uint8Array(0)
const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1')

/** A validator of Weft under v0.6 compatibility: its real network, state transfer, host and engine in virtual time. */
export class WeftPeer {
  network: PeerNetwork | undefined
  ledger: SyncableLedger | undefined
  host: ConsensusHost | undefined
  store = new FakeStore()
  fatal: unknown
  private lives = 0

  constructor(
    readonly options: WeftOptions,
    private readonly time: VirtualTime,
  ) {}

  get name(): string {
    return this.options.name
  }

  async start(): Promise<void> {
    const { name, address, members, rootNodes, sync, seed, random, dial } = this.options
    const life = ++this.lives
    const isAlive = (): boolean => this.lives === life
    const clock = createVirtualClock(this.time, isAlive)
    const say = (level: string) => (message: string, facts?: object) =>
      this.options.log(
        `${name}: ${level} ${message} ${JSON.stringify(facts ?? {}, (_key, value: unknown) => (typeof value === 'bigint' ? Number(value) : value))}`,
      )
    const log: Logger = {
      ...recordingLogger([]),
      critical: say('critical'),
      error: say('error'),
      warning: say('warning'),
      notice: say('notice'),
      info: say('info'),
      in: () => log,
    }
    const { store } = this
    const ledger = await createLedger({ store, clock, settings: this.options.ledger, genesis: true })
    const self = { ID: { name }, address, type: PeerEndpoint_Type.VALIDATOR, pkiID: NOTHING }
    const network = new PeerNetwork({
      self,
      members,
      clock,
      log,
      defer: (task) => void this.time.schedule(0, () => isAlive() && task()),
      random,
      book: new AddressBook(store, true, () => undefined),
      greeter: new Greeter({ self, session: bytesOf(`${name} ${life}`).toString('hex'), info: () => ledger.info(), clock }),
      rootNodes,
      periodMs: 5000,
      touchPeriodMs: 6000,
      maxDials: 100,
      maxLinks: 256,
      open: dial,
    })
    const { handler, transfer } = createSync({ network, ledger, clock, log, random, members, settings: syncSettings(sync) })
    network.sync = handler
    const host = createConsensusHost({
      store,
      ledger,
      chaincode: executor(this.options.executionMs ?? 1, this.time),
      engine: { factory: pbft, options: this.options.pbft },
      members: members.map((id, index) => ({ id, index })),
      self: members.indexOf(name),
      seed: BigInt(seed),
      clock,
      log,
      transport: network.transport,
      notes: network.epochs,
      transfer: transfer.transfer,
      executesRepetitions: true,
      hasFixedEngine: true,
      defer: (task) => void this.time.schedule(0, () => isAlive() && task()),
      onFatal: (reason) => {
        this.fatal = reason
      },
    })
    await host.start()
    network.start()
    Object.assign(this, { network, ledger, host })
  }

  /** `kill -9`: what was written stays. */
  kill(): void {
    this.lives++
    this.host?.kill()
    this.host = undefined
    this.network = undefined
  }

  wipe(): void {
    this.store = new FakeStore()
  }
}

function executor(executionMs: number, time: VirtualTime): Executor {
  return {
    async execute(batch, transactions) {
      await new Promise<void>((resolve) => void time.schedule(executionMs, resolve))
      return transactions.map((ordered) => executeOne(batch, ordered))
    },
  }
}

function executeOne(batch: LedgerBatch, { bytes, transaction }: Parameters<Executor['execute']>[1][number]): ExecutedTransaction {
  const { txid, type, payload } = transaction
  if (type !== Transaction_Type.CHAINCODE_INVOKE) return { bytes, result: { txid } }
  const { chaincodeSpec } = decode(ChaincodeInvocationSpec, payload)
  const chaincode = bytesOf(chaincodeSpec?.chaincodeID?.name ?? '')
  const state = batch.begin(txid)
  try {
    runTestChaincode(
      chaincodeSpec?.ctorMsg?.args.map((arg) => Buffer.from(arg).toString('latin1')) ?? [],
      (key) => {
        const value = state.get(chaincode, bytesOf(key))
        return value && Buffer.from(value)
      },
      (key, value) => (value === undefined ? state.delete(chaincode, bytesOf(key)) : state.put(chaincode, bytesOf(key), value)),
    )
  } catch (error) {
    state.finish(false)
    return { bytes, result: { txid, error: String(error) } }
  }
  state.finish(true)
  return { bytes, result: { txid } }
}
