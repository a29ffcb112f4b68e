import { PeerError } from '../../../../kernel/index.js'
import { filesOf, findTool } from './tools.js'

/** How a chaincode's process is contained. */
export type SandboxKind = 'bwrap' | 'unshare' | 'none'

/** Limits of the process. */
export interface SandboxLimits {
  /** Private memory of the process, buffers outside of the JavaScript heap included. */
  readonly memoryBytes: number
}

/** A program with its arguments. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
}

/** Threads and processes inside the sandbox; Node.js itself takes about ten. */
const MAX_TASKS = 48
const MAX_OPEN_FILES = 64
/** V8 of newer versions reserves (it does not use) its whole code range as data, which the limit counts; what is really used is watched from outside. */
const RESERVED_BYTES = Number.parseInt(process.versions.node, 10) >= 22 ? 512 * 1024 * 1024 : 0
const NICENESS = 5
/** A user and group that own nothing. */
const NOBODY = '65534'
const ENVIRONMENT = { TZ: 'UTC', LANG: 'C', UV_THREADPOOL_SIZE: '1', PATH: '/usr/bin' }

/**
 * Wraps a program in a sandbox: no network, no files but its own executable and libraries, no other processes, no privileges, limited memory.
 *
 * @throws PeerError ERR_CHAINCODE_SANDBOX naming the package to install
 */
export async function sandboxCommand(kind: SandboxKind, limits: SandboxLimits, program: Command): Promise<Command> {
  const prlimit = await required('prlimit', 'util-linux')
  const nice = await required('nice', 'coreutils')
  const limited = (tasks: readonly string[]) => [
    prlimit,
    '--core=0',
    '--fsize=0',
    `--nofile=${MAX_OPEN_FILES}`,
    `--data=${limits.memoryBytes + RESERVED_BYTES}`,
    ...tasks,
    '--',
    program.file,
    ...program.args,
  ]
  const nicely = (words: readonly string[]): Command => ({ file: nice, args: ['-n', String(NICENESS), ...words] })
  // The number of tasks is counted per user outside of a user namespace: a limit would depend on what else the user runs.
  if (kind === 'none') return nicely([await required('setpriv', 'util-linux'), '--pdeathsig=KILL', ...limited([])])
  const wrap = kind === 'bwrap' ? bwrap : unshare
  return nicely(await wrap(program, prlimit, limited([`--nproc=${MAX_TASKS}`])))
}

async function bwrap(program: Command, prlimit: string, words: readonly string[]): Promise<string[]> {
  const tool = await required('bwrap', 'bubblewrap')
  const files = await filesOf([program.file, prlimit])
  return [
    tool,
    '--unshare-all',
    '--unshare-user',
    '--disable-userns',
    '--die-with-parent',
    '--new-session',
    '--clearenv',
    ...Object.entries(ENVIRONMENT).flatMap(([name, value]) => ['--setenv', name, value]),
    '--cap-drop',
    'ALL',
    '--uid',
    NOBODY,
    '--gid',
    NOBODY,
    ...files.flatMap((file) => ['--ro-bind', file, file]),
    '--remount-ro',
    '/',
    '--chdir',
    '/',
    '--',
    ...words,
  ]
}

/**
 * The same with util-linux alone: namespaces, then a root of a tmpfs that shows the files, then all privileges dropped.
 * A `proc` is neither needed nor mounted.
 */
async function unshare(program: Command, prlimit: string, words: readonly string[]): Promise<string[]> {
  const tool = await required('unshare', 'util-linux')
  const setpriv = await required('setpriv', 'util-linux')
  const chroot = await required('chroot', 'coreutils')
  const env = await required('env', 'coreutils')
  const shell = await required('sh', 'dash')
  const files = await filesOf([program.file, prlimit, setpriv, env])
  const script = [
    'set -e',
    'root=/tmp',
    'mount -t tmpfs -o mode=755,size=1m tmpfs "$root"',
    'for file in "$@"; do',
    '  [ "$file" = "--" ] && break',
    '  mkdir -p "$root${file%/*}"; : > "$root$file"; mount --bind "$file" "$root$file"; mount -o remount,bind,ro,nosuid,nodev "$root$file"',
    'done',
    'while [ "$1" != "--" ]; do shift; done; shift',
    'mount -o remount,ro,mode=755 "$root"',
    // Leaving a changed root takes the privilege to change it again, and all privileges go in the same breath.
    `exec ${chroot} "$root" ${setpriv} --no-new-privs --inh-caps=-all --bounding-set=-all ${env} -i ${Object.entries(ENVIRONMENT)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')} "$@"`,
  ].join('\n')
  return [
    setpriv,
    '--pdeathsig=KILL',
    tool,
    '--user',
    '--map-root-user',
    '--net',
    '--pid',
    '--ipc',
    '--uts',
    '--mount',
    '--fork',
    '--kill-child=KILL',
    shell,
    '-c',
    script,
    'sandbox',
    ...files,
    '--',
    ...words,
  ]
}

async function required(name: string, packageName: string): Promise<string> {
  const file = await findTool(name)
  if (file === undefined) throw new PeerError('ERR_CHAINCODE_SANDBOX', `${name} is not installed`, { hint: `apt-get install ${packageName}` })
  return file
}
