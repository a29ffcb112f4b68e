import { Server, ServerCredentials } from '@grpc/grpc-js'
import { type Clock, type Logger, PeerError } from '../../../../kernel/index.js'
import { ChaincodeSpec_Type } from '../../../../proto/index.js'
import { AwaitedChaincodes } from '../../peer/awaited.js'
import { createRegisterService, registerServiceDefinition } from '../../peer/stream/register-service.js'
import type { ChaincodeLauncher } from '../../runtime.js'
import { bundleGuest, chooseSandbox, type ContainedProcess, onceItWorks, type SandboxKind, sandboxCommand, spawnContained } from '../../../sandbox/index.js'
import { chaincodeEnvironment, golangCommand } from '../command.js'
import { LaunchedRuntime } from '../launched-runtime.js'
import { awaitRegistration } from '../registration.js'
import { buildGo } from './go-build.js'

/** What {@link createProcessLauncher} needs. */
export interface ProcessLauncherOptions extends Pick<ChaincodeLauncher, 'pack'> {
  readonly log: Logger
  readonly clock: Clock
  readonly sandbox: 'auto' | SandboxKind
  /** Where executables are kept. */
  readonly folder: string
  readonly goCommand: string
  readonly goPath: string
  readonly memoryBytes: number
  readonly buildMemoryBytes: number
  readonly keepaliveMs: number
  readonly registerTimeoutMs: number
}

/** Inside the sandbox, where nothing else listens. */
const PORT = 7051
const MAX_MESSAGE_BYTES = 100 * 1024 * 1024
const MAX_TASKS = 128
const MAX_OPEN_FILES = 256

/** Builds Go chaincode with the Go of this machine and runs it in a sandbox: its only way out is its one connection, which leads to `Register` alone. */
export function createProcessLauncher(options: ProcessLauncherOptions): ChaincodeLauncher {
  const { log, clock, memoryBytes } = options
  const relay = onceItWorks(() => bundleGuest('plugins/chaincode/external/process/guest/relay'))
  const sandboxKind = onceItWorks(() => chooseSandbox(options.sandbox, { memoryBytes }))

  const start = async (executable: string, name: string): Promise<ContainedProcess> => {
    const kind = await sandboxKind()
    // Without a network of its own two chaincodes must not meet at one port.
    const port = kind === 'none' ? await freePort() : PORT
    const words = golangCommand(executable, { address: `127.0.0.1:${port}` })
    const program = { file: process.execPath, args: ['--no-warnings', '--v8-pool-size=1', '--input-type=module', '-', String(port), ...words] }
    const view = { loopback: true, readOnly: [executable], devices: ['/dev/null', '/dev/urandom'], environment: chaincodeEnvironment(name, { tls: undefined }) }
    const command = await sandboxCommand(kind, { memoryBytes, maxTasks: MAX_TASKS, maxOpenFiles: MAX_OPEN_FILES }, program, view)
    return spawnContained({ who: `chaincode ${name}`, command, input: await relay(), memoryBytes, log, clock })
  }

  return {
    type: ChaincodeSpec_Type.GOLANG,
    pack: options.pack,
    async launch(name, codePackage, { path, signal }) {
      const importPath = path.replace(/^https?:\/\//, '').replace(/\/+$/, '')
      if (importPath === '') throw new PeerError('ERR_CHAINCODE_LAUNCH', `the deploy of chaincode ${name} names no path: nothing says which package to build`)
      const { folder, goCommand: command, goPath, buildMemoryBytes } = options
      const executable = await buildGo(
        { folder, command, goPath, memoryBytes: buildMemoryBytes, sandbox: await sandboxKind() },
        { importPath, codePackage, signal },
      )
      const contained = await start(executable, name)
      const awaited = new AwaitedChaincodes()
      const server = serve(contained, awaited, options)
      const holder = {
        async stop(reason: string) {
          contained.kill(reason)
          await contained.ended
          server.forceShutdown()
        },
      }
      try {
        const stream = await awaitRegistration(awaited.expect(name).registered, { ended: contained.ended, signal })
        return new LaunchedRuntime(stream, holder, log)
      } catch (cause) {
        await holder.stop('it did not register')
        throw cause
      }
    },
  }
}

/** Serves `Register` on the pipe of one process, and for the one name that is awaited. */
function serve(contained: ContainedProcess, awaited: AwaitedChaincodes, { clock, log, keepaliveMs, registerTimeoutMs }: ProcessLauncherOptions): Server {
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    'grpc.enable_channelz': 0,
  })
  const service = createRegisterService({
    clock,
    log,
    keepaliveMs,
    registerTimeoutMs,
    maxStreams: 1,
    admit: (stream) =>
      awaited.take(stream) ? undefined : { refused: `this process was not started as chaincode ${JSON.stringify(stream.name.slice(0, 80))}` },
  })
  server.addService(registerServiceDefinition, service)
  server.createConnectionInjector(ServerCredentials.createInsecure()).injectConnection(contained.pipe)
  return server
}

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net')
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address === 'object' && address !== null) return address.port
  throw new PeerError('ERR_CHAINCODE_LAUNCH', 'no free port')
}
