import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import type { DockerOptions, HostConfig } from 'dockerode'
import { PeerError, messageOf } from '../../../../kernel/index.js'

/** Where the Docker daemon is, as `vm.endpoint` and `vm.docker.tls.*` say. */
export interface DockerEndpoint {
  readonly endpoint: string
  /** Files of the client's identity; absent: no TLS. */
  readonly tls: { readonly cert: string | undefined; readonly key: string | undefined; readonly ca: string | undefined } | undefined
}

/** A container to be started. */
export interface ContainerSpec {
  readonly name: string
  readonly image: string
  readonly command: readonly string[]
  readonly environment: readonly string[]
  readonly host: HostConfig
}

/** What a chaincode launcher asks of a Docker daemon. */
export interface DockerEngine {
  /** Builds an image from a gzip-compressed tar. Throws ERR_CHAINCODE_LAUNCH with the end of what the build printed. */
  build(image: string, context: Uint8Array): Promise<void>
  /** Creates and starts a container. Resolves with `'no image'` if the daemon does not know the image. */
  start(container: ContainerSpec): Promise<'started' | 'no image'>
  /** Resolves with the reason when the container has ended. */
  ended(name: string): Promise<string>
  /** Stops, kills and removes a container; nothing to do if there is none. */
  remove(name: string): Promise<void>
}

const NOT_FOUND = 404
const NOT_MODIFIED = 304
const CONFLICT = 409
/** Of what a build prints. */
const MAX_SHOWN = 2000
const REQUEST_LIMIT_MS = 60_000

/** A Docker daemon behind its API. Nothing is loaded or dialled before the first use. */
export function dockerEngine(at: DockerEndpoint): DockerEngine {
  let client: Promise<Docker> | undefined
  const docker = () => (client ??= connect(at))
  const failed = (what: string) => (cause: unknown) => {
    if (cause instanceof PeerError) throw cause
    throw new PeerError('ERR_CHAINCODE_LAUNCH', `${what}: ${messageOf(cause)}`, {
      cause,
      hint: `check that a Docker daemon answers at vm.endpoint, ${at.endpoint}, and that this peer may use it`,
    })
  }
  return {
    async build(image, context) {
      await build(await docker(), image, context).catch(failed(`cannot build image ${image}`))
    },
    async start(container) {
      return start(await docker(), container).catch(failed(`cannot start container ${container.name}`))
    },
    async ended(name) {
      return waitFor(await docker(), name).catch((cause: unknown) => `its container cannot be watched: ${messageOf(cause)}`)
    },
    async remove(name) {
      const container = (await docker()).getContainer(name)
      await unlessGone(container.stop({ t: 0, abortSignal: limit() })).catch(failed(`cannot stop container ${name}`))
      await unlessGone(container.kill({ abortSignal: limit() })).catch(failed(`cannot kill container ${name}`))
      await unlessGone(container.remove({ force: true, abortSignal: limit() })).catch(failed(`cannot remove container ${name}`))
    },
  }
}

async function connect(at: DockerEndpoint): Promise<Docker> {
  const [{ default: Client }, options] = await Promise.all([import('dockerode'), dockerOptions(at)])
  return new Client(options)
}

/** For what a daemon does at once; a build takes its time, and a container runs for as long as it likes. */
function limit(): AbortSignal {
  return AbortSignal.timeout(REQUEST_LIMIT_MS)
}

/** Options of the client. Throws ERR_CONFIG_INVALID for an endpoint that is none, or a file that cannot be read. */
export async function dockerOptions({ endpoint, tls }: DockerEndpoint): Promise<DockerOptions> {
  const [, scheme, rest] = /^(unix|tcp|http|https):\/\/(.+)$/.exec(endpoint) ?? []
  if (scheme === 'unix') return { socketPath: rest ?? '' }
  const [, host, port] = /^(\[[^\]]+\]|[^:/]+):(\d+)\/?$/.exec(rest ?? '') ?? []
  if (host === undefined) {
    throw new PeerError('ERR_CONFIG_INVALID', `vm.endpoint: expected unix:///path, tcp://host:port, http://host:port or https://host:port, found ${endpoint}`)
  }
  if (tls === undefined) return { protocol: scheme === 'https' ? 'https' : 'http', host, port: Number(port) }
  const [cert, key, ca] = await Promise.all([
    readSetting('vm.docker.tls.cert.file', tls.cert),
    readSetting('vm.docker.tls.key.file', tls.key),
    readSetting('vm.docker.tls.ca.file', tls.ca),
  ])
  return { protocol: 'https', host, port: Number(port), cert, key, ca }
}

async function readSetting(setting: string, file: string | undefined): Promise<string> {
  if (file === undefined) throw new PeerError('ERR_CONFIG_INVALID', `${setting}: expected a PEM file, since vm.docker.tls.enabled is true; found nothing`)
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new PeerError('ERR_CONFIG_INVALID', `${setting}: expected a PEM file, cannot read ${file}: ${messageOf(cause)}`, { cause })
  }
}

async function build(docker: Docker, image: string, context: Uint8Array): Promise<void> {
  const output = await docker.buildImage(Readable.from([context]), { t: image, forcerm: true })
  let printed = ''
  let failure: string | undefined
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(
      output,
      // The stream of a failed build ends in order: its last line has the error.
      (error: Error | null) => (error === null && failure === undefined ? resolve() : reject(error ?? new Error(failure))),
      (line: { readonly stream?: unknown; readonly error?: unknown }) => {
        if (typeof line.error === 'string') failure = line.error
        if (typeof line.stream === 'string') printed = (printed + line.stream).slice(-MAX_SHOWN)
      },
    )
  }).catch((cause: unknown) => {
    throw new PeerError('ERR_CHAINCODE_LAUNCH', `the image ${image} does not build: ${messageOf(cause)}; the build printed: ${printed.trim()}`, { cause })
  })
}

async function start(docker: Docker, { name, image, command, environment, host }: ContainerSpec): Promise<'started' | 'no image'> {
  try {
    const container = await docker.createContainer({
      name,
      Image: image,
      Cmd: [...command],
      Env: [...environment],
      AttachStdout: true,
      AttachStderr: true,
      HostConfig: host,
      abortSignal: limit(),
    })
    await container.start({ abortSignal: limit() })
    return 'started'
  } catch (cause) {
    if (statusOf(cause) === NOT_FOUND) return 'no image'
    throw cause
  }
}

async function waitFor(docker: Docker, name: string): Promise<string> {
  const container = docker.getContainer(name)
  const result: unknown = await container.wait()
  const code = typeof result === 'object' && result !== null ? Reflect.get(result, 'StatusCode') : undefined
  return `its container ended with exit code ${String(code)}`
}

/** A container that is not there, does not run, or is being removed already is what is wanted. */
async function unlessGone(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (cause) {
    const status = statusOf(cause)
    if (status !== NOT_FOUND && status !== NOT_MODIFIED && status !== CONFLICT) throw cause
  }
}

function statusOf(cause: unknown): unknown {
  return typeof cause === 'object' && cause !== null ? Reflect.get(cause, 'statusCode') : undefined
}
