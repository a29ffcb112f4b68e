import { type Logger, messageOf } from '../../../../kernel/index.js'
import type { AwaitedChaincodes } from '../../peer/awaited.js'
import type { ChaincodeLauncher, ChaincodeRuntime, LaunchFacts } from '../../runtime.js'
import { LaunchedRuntime } from '../launched-runtime.js'
import { awaitRegistration } from '../registration.js'
import type { ContainerSpec, DockerEngine } from './engine.js'

/** What {@link createDockerLauncher} needs. */
export interface DockerLauncherOptions extends Pick<ChaincodeLauncher, 'type' | 'pack'> {
  readonly engine: DockerEngine
  readonly awaited: AwaitedChaincodes
  readonly networkId: string
  readonly peerId: string
  /** Command of the container of a chaincode (spec/chaincode.md §14.1). */
  readonly command: (name: string) => readonly string[]
  readonly environment: (name: string) => readonly string[]
  readonly host: ContainerSpec['host']
  readonly log: Logger
}

/** `<networkId>-<peerId>-<name>`, without what is empty (spec/chaincode.md §14.2). */
export function imageName({ networkId, peerId }: Pick<DockerLauncherOptions, 'networkId' | 'peerId'>, name: string): string {
  return [networkId, peerId, name].filter((word) => word !== '').join('-')
}

/** Runs chaincode in Docker containers as v0.6 does (spec/chaincode.md §14). */
export function createDockerLauncher(options: DockerLauncherOptions): ChaincodeLauncher {
  const { engine, awaited, log } = options
  const run = async (name: string, codePackage: Uint8Array, { isDeploy, signal }: LaunchFacts): Promise<ChaincodeRuntime> => {
    const image = imageName(options, name)
    const container = image.replaceAll(':', '_')
    const spec = { name: container, image, command: options.command(name), environment: options.environment(name), host: options.host }
    const holder = { stop: () => engine.remove(container) }
    // What was built for an earlier deploy of that name may be other code. A failure shows when the image is missing.
    if (isDeploy) await engine.build(image, codePackage).catch((cause: unknown) => log.warning(`image ${image} was not built`, { cause: messageOf(cause) }))
    const start = awaited.expect(name)
    try {
      await engine.remove(container)
      if ((await engine.start(spec)) === 'no image') {
        await engine.build(image, codePackage)
        if ((await engine.start(spec)) === 'no image') throw new Error(`there is no image ${image}, although it was built`)
      }
      const stream = await awaitRegistration(start.registered, { ended: engine.ended(container), signal })
      return new LaunchedRuntime(stream, holder, log)
    } catch (cause) {
      start.cancel()
      await holder.stop().catch((reason: unknown) => log.error(`container ${container} was not removed`, { cause: messageOf(reason) }))
      throw cause
    }
  }
  return { type: options.type, pack: options.pack, launch: run }
}
