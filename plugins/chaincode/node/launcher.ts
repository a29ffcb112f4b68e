import { type Clock, type Logger, PeerError, systemClock } from '../../../kernel/index.js'
import { ChaincodeSpec_Type } from '../../../proto/index.js'
import type { ChaincodeLauncher } from '../runtime.js'
import { unpackArchive } from './archive.js'
import { bundleGuest, chooseSandbox, nodeFlags, onceItWorks, type SandboxKind, sandboxCommand, spawnContained } from '../../sandbox/index.js'
import { packChaincode } from './pack.js'
import { PipeRuntime } from './pipe-runtime.js'

/** Settings of {@link createNodeLauncher}. */
export interface NodeLauncherOptions {
  readonly log: Logger
  /** `auto`: bwrap, else unshare, whichever passes a self-test; `none` lets deployed code do whatever the peer may do. Default auto. */
  readonly sandbox?: 'auto' | SandboxKind
  /** Memory of one chaincode, about 45 MiB of which Node.js itself takes. Default 512 MiB. */
  readonly memoryBytes?: number
  /** Longest bundle and longest code package. Default 4 MiB. */
  readonly maxBundleBytes?: number
  /** Longest message of a chaincode. Default 32 MiB. */
  readonly maxFrameBytes?: number
  /** Keys and values that one transaction may write. Default 64 MiB. */
  readonly maxWriteBytes?: number
  /** How long a chaincode may take until it is ready. Default 10 s. */
  readonly startTimeoutMs?: number
  readonly clock?: Clock
}

const MIB = 1024 * 1024
const MIN_MEMORY_BYTES = 128 * MIB

/** Packages TypeScript chaincode and runs it as type NODE, each in a sandboxed process of its own (plugins/chaincode/node/README.md). */
export function createNodeLauncher(options: NodeLauncherOptions): ChaincodeLauncher {
  const { log, sandbox = 'auto', memoryBytes = 512 * MIB, maxBundleBytes = 4 * MIB, maxFrameBytes = 32 * MIB, clock = systemClock } = options
  const { maxWriteBytes = 64 * MIB, startTimeoutMs = 10_000 } = options
  if (memoryBytes < MIN_MEMORY_BYTES)
    throw new PeerError('ERR_CONFIG_INVALID', `chaincode needs at least ${MIN_MEMORY_BYTES} bytes of memory, found ${memoryBytes}`)
  const limits = { memoryBytes }
  const bootstrap = onceItWorks(() => bundleGuest('plugins/chaincode/node/guest/bootstrap'))
  const chosen = onceItWorks(async () => {
    const kind = await chooseSandbox(sandbox, limits)
    if (kind === 'none') log.warning('deployed chaincode runs without a sandbox: it can do whatever this peer may do')
    else log.info(`deployed chaincode runs in a sandbox made by ${kind}`)
    return kind
  })

  return {
    type: ChaincodeSpec_Type.NODE,
    pack: (path, input) => packChaincode(path, input, maxBundleBytes),
    async launch(name, codePackage) {
      if (codePackage.length > maxBundleBytes)
        throw new PeerError('ERR_CHAINCODE_PACKAGE', `the code package has ${codePackage.length} bytes, more than ${maxBundleBytes}`)
      const bundle = await unpackArchive(codePackage, maxBundleBytes)
      const command = await sandboxCommand(await chosen(), limits, { file: process.execPath, args: nodeFlags(memoryBytes) })
      const contained = await spawnContained({ who: `chaincode ${name}`, command, input: await bootstrap(), memoryBytes, log, clock })
      const runtime = new PipeRuntime(name, contained, bundle, { maxFrameBytes, maxWriteBytes }, log)
      const cancel = clock.setTimer(startTimeoutMs, () => contained.kill(`it was not ready after ${startTimeoutMs} ms`))
      try {
        await runtime.ready()
        return runtime
      } catch (failure) {
        await runtime.close('it did not start')
        throw failure
      } finally {
        cancel()
      }
    },
  }
}
