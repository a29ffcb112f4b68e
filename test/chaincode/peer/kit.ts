import type { Clock, Logger } from '../../../kernel/index.js'
import {
  ChaincodeDeploymentSpec,
  ChaincodeDeploymentSpec_ExecutionEnvironment,
  ChaincodeID,
  ChaincodeInvocationSpec,
  ChaincodeSpec,
  ChaincodeSpec_Type,
  ConfidentialityLevel,
  Transaction,
  Transaction_Type,
  decode,
  encode,
} from '../../../proto/index.js'
import { PeerError } from '../../../kernel/errors.js'
import { type ChaincodeSettings, type ChaincodeSupportOptions } from '../../../plugins/chaincode/peer/options.js'
import { type ChaincodePeer, createChaincodeSupport } from '../../../plugins/chaincode/peer/chaincode-support.js'
import type { Call, CallResult, ChaincodeLauncher, ChaincodeRuntime } from '../../../plugins/chaincode/runtime.js'
import type { OrderedTransaction } from '../../../plugins/chaincode/support.js'
import { FakeLedger } from './fake-ledger.js'

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (value: Uint8Array): string => Buffer.from(value).toString()

/** A clock that only moves when told to. */
export class ManualClock implements Clock {
  private elapsed = 0
  private readonly timers = new Map<object, { readonly at: number; readonly task: () => void }>()

  now() {
    return { seconds: 1n, nanos: 0 }
  }

  elapsedMs(): number {
    return this.elapsed
  }

  setTimer(delayMs: number, task: () => void): () => void {
    const handle = {}
    this.timers.set(handle, { at: this.elapsed + delayMs, task })
    return () => void this.timers.delete(handle)
  }

  get pendingTimers(): number {
    return this.timers.size
  }

  /** Moves time and fires what is due, in order; then lets promises run. */
  async advance(ms: number): Promise<void> {
    const until = this.elapsed + ms
    for (;;) {
      const due = [...this.timers].filter(([, { at }]) => at <= until).sort(([, a], [, b]) => a.at - b.at)[0]
      if (due === undefined) break
      const [handle, { at, task }] = due
      this.timers.delete(handle)
      this.elapsed = at
      task()
      await turn()
    }
    this.elapsed = until
    await turn()
  }
}

/** Lets every promise and immediate that is ready run. */
export async function turn(times = 5): Promise<void> {
  for (let index = 0; index < times; index++) await new Promise((resolve) => setImmediate(resolve))
}

export function silentLog(lines: string[] = []): Logger {
  const note = (message: string) => void lines.push(message)
  const log: Logger = {
    module: 'test',
    critical: note,
    error: note,
    warning: note,
    notice: note,
    info: note,
    debug: note,
    isEnabled: () => true,
    in: () => log,
  }
  return log
}

export type Script = (call: Call) => CallResult | Promise<CallResult>

export const ok = (payload = ''): CallResult => ({ ok: true, payload: bytes(payload) })
export const failed = (payload: string): CallResult => ({ ok: false, payload: bytes(payload) })

/** A runtime that answers as a test says. */
export class ScriptedRuntime implements ChaincodeRuntime {
  readonly calls: Call[] = []
  readonly readied: string[] = []
  closedBecause: string | undefined
  private readonly listeners: ((reason: string) => void)[] = []
  private readonly waiting = new Set<(cause: Error) => void>()

  constructor(
    readonly name: string,
    public script: Script,
  ) {}

  notifyReady(call: Pick<Call, 'txid'>): void {
    this.readied.push(call.txid)
  }

  call(call: Call): Promise<CallResult> {
    this.calls.push(call)
    return new Promise((resolve, reject) => {
      this.waiting.add(reject)
      Promise.resolve()
        .then(() => this.script(call))
        .then(resolve, reject)
        .finally(() => this.waiting.delete(reject))
    })
  }

  async close(reason: string): Promise<void> {
    this.die(reason)
  }

  onClosed(listener: (reason: string) => void): void {
    this.listeners.push(listener)
  }

  /** The process is gone. */
  die(reason: string): void {
    if (this.closedBecause !== undefined) return
    this.closedBecause = reason
    for (const reject of this.waiting)
      reject(new PeerError('ERR_CHAINCODE_LOST', `chaincode ${this.name} went away before it answered: ${reason}`, { retryable: true }))
    for (const listener of this.listeners) listener(reason)
  }
}

/** A launcher of type NODE: the package is the name of a script. */
export class ScriptedLauncher implements ChaincodeLauncher {
  readonly type: number = 2
  readonly launched: ScriptedRuntime[] = []
  failures: Error[] = []
  hold: Promise<void> | undefined

  constructor(readonly scripts: Record<string, Script>) {}

  async pack(path: string): Promise<{ name: string; bytes: Uint8Array }> {
    if (path === '') throw new Error('Cannot generate hashcode from empty chaincode path')
    return { name: `name-of-${path}`, bytes: bytes(path) }
  }

  async launch(name: string, codePackage: Uint8Array): Promise<ChaincodeRuntime> {
    await this.hold
    const failure = this.failures.shift()
    if (failure !== undefined) throw failure
    const script = this.scripts[text(codePackage)]
    if (script === undefined) throw new Error(`no script ${text(codePackage)}`)
    const runtime = new ScriptedRuntime(name, script)
    this.launched.push(runtime)
    return runtime
  }

  get latest(): ScriptedRuntime {
    const runtime = this.launched.at(-1)
    if (runtime === undefined) throw new Error('nothing was launched')
    return runtime
  }
}

const NO_BYTES = new Uint8Array(0)

export function specOf(name: string, args: readonly (string | Uint8Array)[], more: Partial<ChaincodeSpec> = {}): ChaincodeSpec {
  return {
    type: ChaincodeSpec_Type.NODE,
    chaincodeID: { path: '', name },
    ctorMsg: { args: args.map((arg) => (typeof arg === 'string' ? bytes(arg) : arg)) },
    timeout: 0,
    secureContext: '',
    confidentialityLevel: ConfidentialityLevel.PUBLIC,
    metadata: NO_BYTES,
    attributes: [],
    ...more,
  }
}

export function transactionOf(type: Transaction_Type, txid: string, name: string, payload: Uint8Array, more: Partial<Transaction> = {}): Transaction {
  return {
    type,
    chaincodeID: encode(ChaincodeID, { path: '', name }),
    payload,
    metadata: NO_BYTES,
    txid,
    timestamp: { seconds: 1_479_779_249n, nanos: 5 },
    confidentialityLevel: ConfidentialityLevel.PUBLIC,
    confidentialityProtocolVersion: '',
    nonce: NO_BYTES,
    toValidators: NO_BYTES,
    cert: NO_BYTES,
    signature: NO_BYTES,
    ...more,
  }
}

export function ordered(transaction: Transaction): OrderedTransaction {
  return { transaction, bytes: encode(Transaction, transaction) }
}

export function deploy(
  name: string,
  args: readonly string[],
  more: Partial<ChaincodeSpec> & { code?: string; execEnv?: ChaincodeDeploymentSpec_ExecutionEnvironment } = {},
): OrderedTransaction {
  const { code = name, execEnv = ChaincodeDeploymentSpec_ExecutionEnvironment.DOCKER, ...spec } = more
  const payload = encode(ChaincodeDeploymentSpec, { chaincodeSpec: specOf(name, args, spec), effectiveDate: undefined, codePackage: bytes(code), execEnv })
  return ordered(transactionOf(Transaction_Type.CHAINCODE_DEPLOY, name, name, payload))
}

export function invoke(name: string, txid: string, ...args: string[]): OrderedTransaction {
  const payload = encode(ChaincodeInvocationSpec, { chaincodeSpec: specOf(name, args, { type: ChaincodeSpec_Type.UNDEFINED }), idGenerationAlg: '' })
  return ordered(transactionOf(Transaction_Type.CHAINCODE_INVOKE, txid, name, payload))
}

export function query(name: string, txid: string, ...args: string[]): Transaction {
  const payload = encode(ChaincodeInvocationSpec, { chaincodeSpec: specOf(name, args, { type: ChaincodeSpec_Type.UNDEFINED }), idGenerationAlg: '' })
  return transactionOf(Transaction_Type.CHAINCODE_QUERY, txid, name, payload)
}

export interface Bench {
  readonly ledger: FakeLedger
  readonly clock: ManualClock
  readonly launcher: ScriptedLauncher
  readonly peer: ChaincodePeer
  readonly logged: string[]
  /** Executes one batch and commits it; the results. */
  readonly block: (...transactions: OrderedTransaction[]) => ReturnType<ChaincodePeer['execute']>
}

/** A peer over a fake ledger, with scripted chaincode by name. */
export function bench(scripts: Record<string, Script> = {}, settings: Partial<ChaincodeSettings> = {}, more: Partial<ChaincodeSupportOptions> = {}): Bench {
  const ledger = new FakeLedger()
  const clock = new ManualClock()
  const launcher = new ScriptedLauncher(scripts)
  const logged: string[] = []
  const peer = createChaincodeSupport({
    ledger,
    clock,
    log: silentLog(logged),
    launchers: [launcher],
    inProcess: (name) => new ScriptedRuntime(name, scripts[name] ?? (() => ok())),
    settings: {
      mode: 'net',
      compatibility: 'weft',
      launcher: 'none',
      startupTimeoutMs: 300_000,
      executeTimeoutMs: 30_000,
      maxQueries: 4,
      networkId: 'dev',
      peerId: 'jdoe',
      ...settings,
    },
    ...more,
  })
  return {
    ledger,
    clock,
    launcher,
    peer,
    logged,
    async block(...transactions) {
      const batch = ledger.openBatch()
      const executed = await peer.execute(batch, transactions)
      const committed = executed.filter(({ result }) => result.error === undefined).map(({ bytes, result }) => [result.txid, bytes] as const)
      batch.commit(Object.fromEntries(committed))
      return executed
    },
  }
}

/** A number that no transaction type has, as an original peer may send it. */
export const UNKNOWN_TRANSACTION_TYPE = decode(Transaction, new Uint8Array([8, 9])).type
/** A number that no chaincode type has. */
export const UNKNOWN_CHAINCODE_TYPE = decode(ChaincodeSpec, new Uint8Array([8, 7])).type
