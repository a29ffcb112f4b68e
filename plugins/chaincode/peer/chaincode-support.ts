import { PeerError, messageOf } from '../../../kernel/index.js'
import {
  ChaincodeDeploymentSpec_ExecutionEnvironment,
  ChaincodeInput,
  type ChaincodeDeploymentSpec,
  type ChaincodeSpec,
  type Transaction,
  encode,
} from '../../../proto/index.js'
import type { ExecutedTransaction } from '../../ledger/index.js'
import type { Chaincode } from '../api/index.js'
import type { ChaincodeLauncher } from '../runtime.js'
import type { ChaincodeSupport, OrderedTransaction, SystemChaincodeOptions } from '../support.js'
import { CallRunner } from './call-runner.js'
import { Deployments, typeName } from './deployments.js'
import { refusal } from './errors.js'
import { BatchExecutor, type ExecutingBatch } from './executor.js'
import { ChaincodeToChaincode } from './nested.js'
import { PackageGate } from './package-gate.js'
import type { ChaincodeSupportOptions } from './options.js'
import { QueryGate } from './query-gate.js'
import { Queries } from './queries.js'
import { RunningChaincodes } from './running.js'
import { ChaincodeStarter } from './starter.js'
import { texts } from './texts.js'

const EMPTY = new Uint8Array(0)

/** The peer's side of chaincode: executes, queries, packages. See README.md. */
export class ChaincodePeer implements ChaincodeSupport {
  /** What is connected or running; the `Register` service enters streams here. */
  readonly runningChaincodes: RunningChaincodes
  private readonly starter: ChaincodeStarter
  private readonly executor: BatchExecutor
  private readonly queries: Queries
  private readonly packageGate = new PackageGate()

  constructor(private readonly options: ChaincodeSupportOptions) {
    const deployments = new Deployments(options.ledger)
    this.runningChaincodes = new RunningChaincodes(options.log)
    this.starter = new ChaincodeStarter(options, this.runningChaincodes, deployments)
    const runner = new CallRunner(options, this.runningChaincodes)
    const gate = new QueryGate()
    const nested = new ChaincodeToChaincode(options, this.starter, runner)
    this.executor = new BatchExecutor(options, this.runningChaincodes, deployments, this.starter, runner, nested, gate)
    this.queries = new Queries(options, this.starter, runner, nested, gate)
  }

  execute(batch: ExecutingBatch, transactions: readonly OrderedTransaction[]): Promise<ExecutedTransaction[]> {
    return this.executor.execute(batch, transactions)
  }

  query(transaction: Transaction): Promise<Uint8Array> {
    return this.queries.query(transaction)
  }

  async build(spec: ChaincodeSpec): Promise<ChaincodeDeploymentSpec> {
    if (this.options.settings.mode === 'dev') return deploymentOf(spec, EMPTY)
    const launcher = this.launcherAtTheDoor(spec.type)
    return this.packageGate.pass(() => this.packed(spec, launcher))
  }

  private async packed(spec: ChaincodeSpec, launcher: ChaincodeLauncher): Promise<ChaincodeDeploymentSpec> {
    try {
      if (spec.ctorMsg === undefined || spec.ctorMsg.args.length === 0) throw refusal('Cannot generate hashcode from empty ctor')
      const { name, bytes } = await launcher.pack(spec.chaincodeID?.path ?? '', encode(ChaincodeInput, spec.ctorMsg))
      return deploymentOf({ ...spec, chaincodeID: { path: spec.chaincodeID?.path ?? '', name } }, bytes)
    } catch (cause) {
      throw new PeerError('ERR_CHAINCODE_PACKAGE', `Error getting chaincode package bytes: ${messageOf(cause)}`, {
        cause,
        ...(cause instanceof PeerError && cause.hint !== undefined ? { hint: cause.hint } : {}),
      })
    }
  }

  registerSystem(name: string, chaincode: Chaincode, { callable = true }: SystemChaincodeOptions = {}): void {
    if (this.starter.systems.has(name) || this.runningChaincodes.get(name) !== undefined) {
      throw new PeerError('ERR_CHAINCODE_NAME_TAKEN', `the chaincode name ${name} is taken`, { hint: 'give the system chaincode another name' })
    }
    this.starter.systems.set(name, { chaincode, callable })
    this.starter.startSystem(name)
  }

  /** Why a chaincode that dials the peer may not register under a name; `undefined` if it may (spec/chaincode.md §3.4). */
  whyNotRegister(name: string): string | undefined {
    if (this.starter.systems.has(name)) return `the chaincode name ${name} belongs to a system chaincode of this peer`
    if (this.options.settings.mode === 'dev') return undefined
    return `chaincode ${name} was not launched by this peer, and chaincode.mode is net`
  }

  running(): readonly string[] {
    return this.runningChaincodes.names()
  }

  /** Ends everything that runs. */
  stop(reason: string): Promise<void> {
    return this.runningChaincodes.closeAll(reason)
  }

  private launcherAtTheDoor(type: number): ChaincodeLauncher {
    try {
      return this.starter.launcherFor(type)
    } catch (cause) {
      if (messageOf(cause) !== texts.unknownType(typeName(type))) throw cause
      throw refusal(`Failed to determine platform type: ${messageOf(cause)}`, { cause })
    }
  }
}

/** Makes the peer's chaincode support. Nothing runs before the first registration or transaction. */
export function createChaincodeSupport(options: ChaincodeSupportOptions): ChaincodePeer {
  return new ChaincodePeer(options)
}

function deploymentOf(chaincodeSpec: ChaincodeSpec, codePackage: Uint8Array): ChaincodeDeploymentSpec {
  return { chaincodeSpec, effectiveDate: undefined, codePackage, execEnv: ChaincodeDeploymentSpec_ExecutionEnvironment.DOCKER }
}
