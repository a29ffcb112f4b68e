import { spawn } from 'node:child_process'
import { messageOf, PeerError } from '../../kernel/index.js'
import { type SandboxKind, type SandboxLimits, sandboxCommand } from './command.js'

/** How long a sandbox may take to show that it works. */
const SELF_TEST_MS = 10_000
const PASSED = 'contained'

/** Runs inside a candidate: it passes if neither files nor network nor other processes are in reach. */
const SELF_TEST = `
import { existsSync, readdirSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
const reachable = ['/etc/passwd', '/etc/hostname', '/home', '/root', '/var', '/proc/1', '/sys/kernel', '/dev/null'].filter((path) => existsSync(path))
const interfaces = Object.values(networkInterfaces()).flat().filter((address) => !address.internal)
if (reachable.length + interfaces.length === 0) process.stdout.write('${PASSED}')
else process.stdout.write('in reach: ' + [...reachable, ...interfaces.map(({ address }) => address), ...readdirSync('/')].join(' '))
`

/**
 * Finds the sandbox of this machine: the one asked for, or for \`auto\` the first of bwrap and unshare that passes a self-test.
 *
 * @throws PeerError ERR_SANDBOX with what failed and what to install
 */
export async function chooseSandbox(wanted: 'auto' | SandboxKind, limits: SandboxLimits): Promise<SandboxKind> {
  if (wanted === 'none') return 'none'
  const candidates: SandboxKind[] = wanted === 'auto' ? ['bwrap', 'unshare'] : [wanted]
  const failures: string[] = []
  for (const kind of candidates) {
    try {
      const command = await sandboxCommand(kind, limits, { file: process.execPath, args: ['--input-type=module', '-'] })
      const answer = await runBriefly(command.file, command.args)
      if (answer === PASSED) return kind
      failures.push(`${kind}: ${answer}`)
    } catch (cause) {
      failures.push(`${kind}: ${messageOf(cause)}`)
    }
  }
  throw new PeerError('ERR_SANDBOX', `no sandbox works on this machine (${failures.join('; ')})`, {
    hint: 'apt-get install bubblewrap, and allow unprivileged user namespaces; or set the sandbox to none, which lets contained code do whatever this peer may do',
  })
}

/** What the program prints; fails when it takes too long. */
function runBriefly(file: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], env: {}, cwd: '/', timeout: SELF_TEST_MS, killSignal: 'SIGKILL' })
    let printed = ''
    const take = (chunk: Buffer) => {
      printed = (printed + chunk.toString()).slice(0, 500)
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('error', reject)
    // A program that ends before it has read all says more by its exit than by this.
    child.stdin.on('error', () => undefined)
    child.stdin.end(SELF_TEST)
    child.on('close', (code, signal) => resolve(printed.trim() || `it ended with ${signal ?? `exit code ${code}`} and said nothing`))
  })
}
