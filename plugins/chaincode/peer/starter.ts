import { messageOf } from '../../../kernel/index.js'
import type { Chaincode } from '../api/index.js'
import type { Call, CallResult, ChaincodeLauncher, ChaincodeRuntime } from '../runtime.js'
import type { ChaincodeCall } from './chaincode-call.js'
import { type Deployment, type Deployments, typeName } from './deployments.js'
import { isLocalFault, refusal, startError, timeoutError } from './errors.js'
import type { ChaincodeSupportOptions } from './options.js'
import type { RunningChaincode, RunningChaincodes } from './running.js'
import { texts } from './texts.js'
import { withinLimit } from './time-limit.js'

/** What causes a launch: its txid and security context go into READY (spec/chaincode.md §5.2). */
export interface LaunchCause extends Pick<Call, 'txid' | 'securityContext'> {
  readonly kind: 'transaction' | 'query'
}

interface Start {
  readonly forDeploy: boolean
  readonly done: Promise<RunningChaincode>
}

const CHAINCODE_NODE = 2

/** Decides what has to happen before a chaincode can take a call (spec/chaincode.md §5.2), once for everybody who waits for it. */
export class ChaincodeStarter {
  private readonly launchers: ReadonlyMap<number, ChaincodeLauncher>
  private readonly starts = new Map<string, Start>()
  readonly systems = new Map<string, { readonly chaincode: Chaincode; readonly callable: boolean }>()

  constructor(
    private readonly options: ChaincodeSupportOptions,
    private readonly running: RunningChaincodes,
    private readonly deployments: Deployments,
  ) {
    const { launchers, settings } = options
    const usable = settings.compatibility === 'v0.6' ? launchers.filter(({ type }) => type !== CHAINCODE_NODE) : launchers
    this.launchers = new Map(usable.map((launcher) => [launcher.type, launcher]))
  }

  /** The language's launcher. Throws v0.6's text for a type that does not exist, and what is missing for one that this peer cannot run. */
  launcherFor(type: number): ChaincodeLauncher {
    const launcher = this.launchers.get(type)
    if (launcher !== undefined) return launcher
    const isKnown = type === 1 || type === 3 || type === 4
    if (!isKnown) throw refusal(texts.unknownType(typeName(type)))
    const { launcher: configured } = this.options.settings
    throw refusal(`this peer cannot run chaincode of type ${typeName(type)}: chaincode.launcher is ${configured}`, {
      hint:
        configured === 'process'
          ? 'set chaincode.launcher to docker, which builds Java and car chaincode too'
          : 'set chaincode.launcher to docker or process; or use a chaincode of type NODE; or run the peer with chaincode.mode: dev and start the chaincode yourself',
    })
  }

  /** Whether a runtime that went away can be had again without the user. */
  canRelaunch(name: string): boolean {
    return this.options.settings.mode === 'net' || this.systems.has(name)
  }

  /** Registers and starts a system chaincode; it gets READY at once, as its init arguments are empty (§15). */
  startSystem(name: string): ChaincodeRuntime | undefined {
    const system = this.systems.get(name)
    if (system === undefined) return undefined
    const entry = this.running.add(this.options.inProcess(name, system.chaincode))
    if (entry === undefined) return undefined
    entry.state = 'ready'
    return entry.runtime
  }

  /** Whether a running chaincode is still deployed. One whose deploy was rolled back is ended: elsewhere it never ran. */
  confirm(entry: RunningChaincode): boolean {
    const { deployedIn, runtime } = entry
    if (deployedIn === undefined || this.deployments.isIn(deployedIn, runtime.name)) return true
    if (this.deployments.isDeployed(runtime.name)) {
      entry.deployedIn = undefined
      return true
    }
    this.running.end(runtime, 'its deploy was rolled back')
    return false
  }

  /** Makes a deployed chaincode ready for an invoke or query. Throws a PeerError with v0.6's reason. */
  async launch(name: string, cause: LaunchCause): Promise<ChaincodeRuntime> {
    for (;;) {
      const entry = this.running.get(name)
      if (entry?.state === 'ready') {
        if (this.confirm(entry)) return entry.runtime
        throw refusal(texts.noDeployment(name))
      }
      if (entry?.state === 'init') {
        await entry.initialised
        continue
      }
      if (entry !== undefined) {
        this.remindDeveloper(name)
        this.deployments.find(name)
        return this.sendReady(entry, cause)
      }
      const start = this.starts.get(name)
      if (start === undefined) return this.sendReady(await this.startDeployed(name, cause), cause)
      // A deploy that is not committed yet is none of a query's business; every other start is shared.
      if (start.forDeploy && cause.kind === 'query') throw refusal(texts.beingLaunched(name))
      await start.done
    }
  }

  /**
   * Launches a chaincode for its deploy and runs Init, if it has arguments. `makeInit` is asked for the call once the chaincode is there.
   * Throws the text that the rejection event shows.
   */
  async deploy(deployment: Deployment, cause: LaunchCause, makeInit: () => ChaincodeCall): Promise<void> {
    const { name } = deployment
    let entry = this.running.get(name)
    if (entry?.state === 'ready') {
      if (this.options.settings.mode === 'dev') return
      // Left over from a batch that was rolled back: its code may be another one.
      this.running.end(entry.runtime, 'deployed anew')
      entry = undefined
    }
    if (this.starts.has(name) || entry?.state === 'init') throw refusal(texts.beingLaunched(name))
    if (entry === undefined && this.options.settings.mode === 'dev') throw refusal(texts.initFailed(texts.handlerNotFound(name)))
    entry ??= await this.start(deployment, cause.txid, true)
    if (deployment.args.length === 0) this.sendReady(entry, cause)
    else await this.init(entry, makeInit())
  }

  private async startDeployed(name: string, cause: LaunchCause): Promise<RunningChaincode> {
    if (this.startSystem(name) !== undefined) {
      const entry = this.running.get(name)
      if (entry !== undefined) return entry
    }
    this.remindDeveloper(name)
    const deployment = this.deployments.find(name)
    if (this.options.settings.mode === 'dev') throw refusal(texts.initFailed(texts.handlerNotFound(name)))
    return this.start(deployment, cause.txid, false)
  }

  /** In development mode, before anything is looked up, as v0.6 does: also of a chaincode that was merely started again (spec/chaincode.md §5.3). */
  private remindDeveloper(name: string): void {
    if (this.options.settings.mode !== 'dev') return
    this.options.log.error(
      'You are attempting to perform an action other than Deploy on Chaincode that is not ready and you are in developer mode. Did you forget to Deploy your chaincode?',
      { name },
    )
  }

  private async start(deployment: Deployment, txid: string, forDeploy: boolean): Promise<RunningChaincode> {
    const { name } = deployment
    const done = this.run(deployment, txid, forDeploy)
    this.starts.set(name, { forDeploy, done })
    try {
      return await done
    } finally {
      this.starts.delete(name)
    }
  }

  private async run(deployment: Deployment, txid: string, isDeploy: boolean): Promise<RunningChaincode> {
    const { name, path, codePackage } = deployment
    const { clock, settings } = this.options
    const launcher = this.launcherFor(deployment.type)
    const expiry = new AbortController()
    const { signal } = expiry
    const launching = this.running
      .closed(name)
      .then(() => launcher.launch(name, codePackage, { path, isDeploy, signal }))
      .then((runtime) => {
        if (signal.aborted) this.running.end(runtime, 'started too late')
        return runtime
      })
    const runtime = await withinLimit(clock, settings.startupTimeoutMs, launching, () => {
      expiry.abort()
      return timeoutError(texts.startTimeout(name, settings.networkId, settings.peerId, txid))
    }).catch((cause: unknown) => {
      throw signal.aborted ? startError(messageOf(cause), cause) : startError(texts.startFailed(messageOf(cause)), cause)
    })
    const entry = this.running.add(runtime)
    if (entry !== undefined) return entry
    this.running.end(runtime, 'its name is taken')
    throw refusal(texts.alreadyRunning(name))
  }

  private sendReady(entry: RunningChaincode, cause: LaunchCause): ChaincodeRuntime {
    // A shared start may have been made ready by whoever resumed first.
    if (entry.state === 'established') {
      entry.runtime.notifyReady?.(cause)
      entry.state = 'ready'
    }
    return entry.runtime
  }

  private async callInit(runtime: ChaincodeRuntime, call: ChaincodeCall): Promise<CallResult> {
    const { clock, settings } = this.options
    try {
      return await withinLimit(clock, settings.startupTimeoutMs, runtime.call(call), () => {
        this.running.abandon(call.execution, texts.initTimeout)
        return timeoutError(texts.initTimeout)
      })
    } finally {
      await call.end()
    }
  }

  private async init(entry: RunningChaincode, call: ChaincodeCall): Promise<void> {
    const { runtime } = entry
    entry.state = 'init'
    const work = this.callInit(runtime, call)
    entry.initialised = work.then(
      () => undefined,
      () => undefined, // whoever waits only wants to know that Init is over; the failure goes to the deploy below
    )
    try {
      const result = await work
      if (!result.ok) throw refusal(texts.initialising(runtime.name, Buffer.from(result.payload).toString()))
      entry.state = 'ready'
    } catch (cause) {
      this.running.end(runtime, `Init failed: ${messageOf(cause)}`)
      throw isLocalFault(cause) ? cause : refusal(texts.initFailed(messageOf(cause)), { cause })
    }
  }
}
