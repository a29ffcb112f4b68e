import { PeerError } from '../../kernel/index.js'
import { filesOf, findTool } from './tools.js'

/** How a process is contained. */
export type SandboxKind = 'bwrap' | 'unshare' | 'none'

/** Limits of the process. */
export interface SandboxLimits {
  /** Private memory of each process, buffers outside of the JavaScript heap included. */
  readonly memoryBytes: number
  /** Longest file that it may write. Default 0: it writes none. */
  readonly maxFileBytes?: number
  /** Open files of each process. Default 64. */
  readonly maxOpenFiles?: number
  /** Threads and processes. Default 48: Node.js itself takes about ten. */
  readonly maxTasks?: number
}

/** What a sandbox shows beyond the program and its libraries. All paths are absolute and keep their place. */
export interface SandboxView {
  /** Files and folders. */
  readonly readOnly?: readonly string[]
  readonly writable?: readonly string[]
  /** Device files, such as `/dev/null`. */
  readonly devices?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** The loopback interface of its own network is up, so that its processes reach each other. */
  readonly loopback?: boolean
}

/** A program with its arguments. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
}

const MAX_TASKS = 48
const MAX_OPEN_FILES = 64
/** V8 of newer versions reserves (it does not use) its whole code range as data, which the limit counts; what is really used is watched from outside. */
const RESERVED_BYTES = Number.parseInt(process.versions.node, 10) >= 22 ? 512 * 1024 * 1024 : 0
const NICENESS = 5
/** A user and group that own nothing. */
const NOBODY = '65534'
const ENVIRONMENT = { TZ: 'UTC', LANG: 'C', UV_THREADPOOL_SIZE: '1', PATH: '/usr/bin' }
/** Where `unshare` puts the new root. */
const ROOTS = ['/tmp', '/mnt', '/media', '/srv']
const NOTHING: SandboxView = Object.freeze({})

/**
 * Wraps a program in a sandbox: no network, no files but its own executable, its libraries and what `view` shows, no other processes,
 * no privileges, limited memory.
 *
 * @throws PeerError ERR_SANDBOX naming the package to install
 */
export async function sandboxCommand(kind: SandboxKind, limits: SandboxLimits, program: Command, view: SandboxView = NOTHING): Promise<Command> {
  const prlimit = await required('prlimit', 'util-linux')
  const nice = await required('nice', 'coreutils')
  const limited = (tasks: readonly string[]) => [
    prlimit,
    '--core=0',
    `--fsize=${limits.maxFileBytes ?? 0}`,
    `--nofile=${limits.maxOpenFiles ?? MAX_OPEN_FILES}`,
    `--data=${limits.memoryBytes + RESERVED_BYTES}`,
    ...tasks,
    '--',
    program.file,
    ...program.args,
  ]
  const nicely = (words: readonly string[]): Command => ({ file: nice, args: ['-n', String(NICENESS), ...words] })
  // The number of tasks is counted per user outside of a user namespace: a limit would depend on what else the user runs.
  if (kind === 'none') {
    const settings = view.environment === undefined ? [] : [await required('env', 'coreutils'), ...assignments(view.environment)]
    return nicely([await required('setpriv', 'util-linux'), '--pdeathsig=KILL', ...settings, ...limited([])])
  }
  const wrap = kind === 'bwrap' ? bwrap : unshare
  return nicely(await wrap(program, prlimit, limited([`--nproc=${limits.maxTasks ?? MAX_TASKS}`]), view))
}

/** Without what the folders of the view show anyway. */
function outside({ readOnly = [] }: SandboxView, files: readonly string[]): string[] {
  return files.filter((file) => !readOnly.some((folder) => file.startsWith(`${folder}/`)))
}

function environmentOf(view: SandboxView): Readonly<Record<string, string>> {
  return { ...ENVIRONMENT, ...view.environment }
}

function assignments(environment: Readonly<Record<string, string>>): string[] {
  return Object.entries(environment).map(([name, value]) => `${name}=${value}`)
}

async function bwrap(program: Command, prlimit: string, words: readonly string[], view: SandboxView): Promise<string[]> {
  const tool = await required('bwrap', 'bubblewrap')
  const files = outside(view, await filesOf([program.file, prlimit]))
  return [
    tool,
    '--unshare-all',
    '--unshare-user',
    '--disable-userns',
    '--die-with-parent',
    '--new-session',
    '--clearenv',
    ...Object.entries(environmentOf(view)).flatMap(([name, value]) => ['--setenv', name, value]),
    '--cap-drop',
    'ALL',
    '--uid',
    NOBODY,
    '--gid',
    NOBODY,
    ...[...(view.readOnly ?? []), ...files].flatMap((file) => ['--ro-bind', file, file]),
    ...(view.writable ?? []).flatMap((folder) => ['--bind', folder, folder]),
    ...(view.devices ?? []).flatMap((file) => ['--dev-bind', file, file]),
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
async function unshare(program: Command, prlimit: string, words: readonly string[], view: SandboxView): Promise<string[]> {
  const tool = await required('unshare', 'util-linux')
  const setpriv = await required('setpriv', 'util-linux')
  const chroot = await required('chroot', 'coreutils')
  const env = await required('env', 'coreutils')
  const shell = await required('sh', 'dash')
  const files = outside(view, await filesOf([program.file, prlimit, setpriv, env]))
  const shown = [...files, ...(view.readOnly ?? []), ...(view.writable ?? [])]
  // It hides what lies below it.
  const root = ROOTS.find((folder) => shown.every((path) => !path.startsWith(`${folder}/`)))
  if (root === undefined) throw new PeerError('ERR_SANDBOX', `one of ${ROOTS.join(', ')} must hold nothing that the program needs`)
  const script = [
    'set -e',
    ...(view.loopback === true ? [await loopbackUp()] : []),
    `root=${root}`,
    'mount -t tmpfs -o mode=755,size=1m tmpfs "$root"',
    'show() {',
    '  if [ -d "$1" ]; then mkdir -p "$root$1"; else mkdir -p "$root${1%/*}"; [ -e "$root$1" ] || : > "$root$1"; fi',
    '  mount --bind "$1" "$root$1"; [ "$2" = bare ] || mount -o "remount,bind,$2" "$root$1"',
    '}',
    'while [ "$1" != "--" ]; do show "$1" ro,nosuid,nodev; shift; done; shift',
    'while [ "$1" != "--" ]; do show "$1" rw,nosuid,nodev; shift; done; shift',
    'while [ "$1" != "--" ]; do show "$1" bare; shift; done; shift',
    'mount -o remount,ro,mode=755 "$root"',
    // Leaving a changed root takes the privilege to change it again, and all privileges go in the same breath.
    `exec ${chroot} "$root" ${setpriv} --no-new-privs --inh-caps=-all --bounding-set=-all ${env} -i "$@"`,
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
    ...(view.readOnly ?? []),
    ...files,
    '--',
    ...(view.writable ?? []),
    '--',
    ...(view.devices ?? []),
    '--',
    ...assignments(environmentOf(view)),
    ...words,
  ]
}

/** A shell command, since `unshare` leaves the interface down. Perl is part of every Debian; `ip` is not. */
async function loopbackUp(): Promise<string> {
  const ip = await findTool('ip')
  if (ip !== undefined) return `${ip} link set lo up`
  // AF_INET, SOCK_DGRAM; SIOCSIFFLAGS with IFF_UP and IFF_RUNNING.
  return `${await required('perl', 'perl-base')} -e 'my $up = pack("a16 s x14", "lo", 0x41); socket(S, 2, 2, 0) and ioctl(S, 0x8914, $up) or die $!'`
}

async function required(name: string, packageName: string): Promise<string> {
  const file = await findTool(name)
  if (file === undefined) throw new PeerError('ERR_SANDBOX', `${name} is not installed`, { hint: `apt-get install ${packageName}` })
  return file
}
