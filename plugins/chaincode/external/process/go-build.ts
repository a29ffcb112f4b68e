import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, realpath, rename, rm } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { PeerError, messageOf } from '../../../../kernel/index.js'
import { type Command, findTool, type SandboxKind, sandboxCommand } from '../../../sandbox/index.js'
import { unpackSources } from './unpack.js'

/** How Go chaincode is built. */
export interface GoBuildOptions {
  /** Where executables are kept. */
  readonly folder: string
  /** The go program: a path, or a name to be searched. */
  readonly command: string
  /** Workspaces of this machine, as in GOPATH: they complete what the package holds. */
  readonly goPath: string
  readonly memoryBytes: number
  readonly sandbox: SandboxKind
}

/** What is built. */
export interface GoSource {
  readonly importPath: string
  readonly codePackage: Uint8Array
  readonly signal: AbortSignal
}

const EXECUTABLE = 'chaincode'
const MAX_FILE_BYTES = 1024 * 1024 * 1024
const MAX_SHOWN = 2000
const TOOL_LIMIT_MS = 10_000
const SYSTEM = ['/usr', '/lib', '/lib64', '/bin']

/**
 * Builds the package of a Go chaincode, without network and cgo, in a sandbox that shows the system and the workspaces read-only.
 * The same package is built once. Returns the executable.
 *
 * @throws PeerError ERR_CHAINCODE_LAUNCH with the end of what the compiler printed, ERR_CHAINCODE_PACKAGE
 */
export async function buildGo(options: GoBuildOptions, source: GoSource): Promise<string> {
  const digest = createHash('sha256').update(source.importPath).update('\0').update(source.codePackage).digest('hex')
  const kept = join(options.folder, digest)
  if (await exists(join(kept, EXECUTABLE))) return join(kept, EXECUTABLE)
  await mkdir(options.folder, { recursive: true })
  const work = await mkdtemp(join(options.folder, 'build-'))
  try {
    const out = join(work, 'out')
    await Promise.all([out, join(work, 'cache'), join(work, 'tmp')].map((folder) => mkdir(folder)))
    await unpackSources(source.codePackage, join(work, 'package'))
    await run(await buildCommand(options, source.importPath, work), source.signal)
    await rm(kept, { recursive: true, force: true })
    await rename(out, kept)
    return join(kept, EXECUTABLE)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** The go program and its GOROOT. Throws ERR_CHAINCODE_LAUNCH naming what to install. */
export async function findGo(command: string): Promise<{ readonly file: string; readonly root: string }> {
  const file = command.includes('/') ? command : await findTool(command)
  try {
    if (file === undefined) throw new Error(`there is no program ${command} in PATH`)
    const { stdout } = await promisify(execFile)(file, ['env', 'GOROOT'], { timeout: TOOL_LIMIT_MS })
    const root = stdout.trim()
    return { file: await realpath(file), root }
  } catch (cause) {
    throw new PeerError('ERR_CHAINCODE_LAUNCH', `Go chaincode needs the go program, which does not run: ${messageOf(cause)}`, {
      cause,
      hint: 'apt-get install golang-go, or name the program with chaincode.golang.command',
    })
  }
}

async function buildCommand(options: GoBuildOptions, importPath: string, work: string): Promise<Command> {
  const { file, root } = await findGo(options.command)
  const workspaces = options.goPath.split(delimiter).filter((folder) => folder !== '')
  const readOnly = await present([...SYSTEM, root, await realpath(root), ...workspaces])
  const program = { file, args: ['build', '-o', join(work, 'out', EXECUTABLE), '--', importPath] }
  const environment = {
    GOROOT: root,
    GOPATH: [join(work, 'package'), ...workspaces].join(delimiter),
    GO111MODULE: 'off',
    GOFLAGS: '',
    GOPROXY: 'off',
    GOTOOLCHAIN: 'local',
    CGO_ENABLED: '0',
    GOCACHE: join(work, 'cache'),
    GOTMPDIR: join(work, 'tmp'),
    HOME: work,
  }
  const limits = { memoryBytes: options.memoryBytes, maxFileBytes: MAX_FILE_BYTES, maxOpenFiles: 1024, maxTasks: 1024 }
  return sandboxCommand(options.sandbox, limits, program, { readOnly, writable: [work], devices: ['/dev/null', '/dev/urandom'], environment })
}

function run(command: Command, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command.file, command.args, { stdio: ['ignore', 'pipe', 'pipe'], env: {}, cwd: '/', signal, killSignal: 'SIGKILL' })
    let printed = ''
    const take = (chunk: Buffer) => {
      printed = (printed + chunk.toString()).slice(-MAX_SHOWN)
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('error', (cause) => reject(new PeerError('ERR_CHAINCODE_LAUNCH', `the build of the chaincode was not finished: ${cause.message}`, { cause })))
    child.on('close', (code, killed) => {
      if (code === 0) resolve()
      else reject(new PeerError('ERR_CHAINCODE_LAUNCH', `the chaincode does not build (${killed ?? `exit code ${code}`}): ${printed.trim()}`))
    })
  })
}

async function present(folders: readonly string[]): Promise<string[]> {
  const found = await Promise.all([...new Set(folders)].map(async (folder) => ((await exists(folder)) ? folder : undefined)))
  return found.filter((folder) => folder !== undefined)
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false, // not there: that is the answer
  )
}
