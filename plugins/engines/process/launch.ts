import { type Clock, type Logger, PeerError } from '../../../kernel/index.js'
import { bundleGuest, chooseSandbox, type ContainedProcess, nodeFlags, onceItWorks, sandboxCommand, spawnContained, writeFrames } from '../../sandbox/index.js'
import type { ProcessLimits } from './limits.js'

/** Starts the process of an engine, with its bundle on the way. */
export type LaunchEngine = (who: string, bundle: Uint8Array) => Promise<ContainedProcess>

const MIN_MEMORY_BYTES = 128 * 1024 * 1024

/**
 * Makes the launcher of a peer's engines. The sandbox is chosen, and Weft's own part of the program bundled, once.
 *
 * @throws PeerError ERR_CONFIG_INVALID for less memory than Node.js itself needs
 */
export function createEngineLauncher(limits: ProcessLimits, log: Logger, clock: Clock): LaunchEngine {
  const { memoryBytes, sandbox } = limits
  if (memoryBytes < MIN_MEMORY_BYTES)
    throw new PeerError('ERR_CONFIG_INVALID', `an engine needs at least ${MIN_MEMORY_BYTES} bytes of memory, found ${memoryBytes}`)
  const bootstrap = onceItWorks(() => bundleGuest('plugins/engines/guest/bootstrap'))
  const chosen = onceItWorks(async () => {
    const kind = await chooseSandbox(sandbox, { memoryBytes })
    if (kind === 'none') log.warning('isolated engines run without a sandbox: they can do whatever this peer may do')
    else log.info(`isolated engines run in a sandbox made by ${kind}`)
    return kind
  })
  return async (who, bundle) => {
    const [kind, input] = await Promise.all([chosen(), bootstrap()])
    const command = await sandboxCommand(kind, { memoryBytes }, { file: process.execPath, args: nodeFlags(memoryBytes) })
    const contained = await spawnContained({ who, command, input, memoryBytes, log, clock })
    writeFrames(contained.pipe, [bundle])
    return contained
  }
}
