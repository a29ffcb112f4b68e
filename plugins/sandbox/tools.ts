import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf, PeerError } from '../../kernel/index.js'

const SYSTEM_FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin']

/** Full path of a program; `undefined` if it is not installed. */
export async function findTool(name: string): Promise<string | undefined> {
  for (const folder of [...SYSTEM_FOLDERS, ...(process.env.PATH ?? '').split(delimiter)]) {
    if (!folder.startsWith('/')) continue
    const file = join(folder, name)
    try {
      await access(file, constants.X_OK)
      return file
    } catch {
      continue // Not here: the search goes on, and finding nothing is an answer.
    }
  }
  return undefined
}

/**
 * Programs and the shared libraries that they load, as absolute paths: all that a sandbox shows of the file system.
 *
 * @throws PeerError ERR_SANDBOX if `ldd` cannot say
 */
export async function filesOf(programs: readonly string[]): Promise<string[]> {
  const ldd = await findTool('ldd')
  if (ldd === undefined)
    throw new PeerError('ERR_SANDBOX', 'ldd is missing, which names the libraries that the sandbox must show', { hint: 'apt-get install libc-bin' })
  try {
    const stdout = await listed(ldd, programs)
    const libraries = Array.from(stdout.matchAll(/(?:=>\s+|^\s+)(\/\S+)\s+\(0x/gm), ([, file]) => file)
    return [...new Set([...programs, ...libraries.filter((file) => file !== undefined)])].sort()
  } catch (cause) {
    throw new PeerError('ERR_SANDBOX', `ldd failed for ${programs.join(', ')}: ${messageOf(cause)}`, { cause })
  }
}

/** What `ldd` prints. Of a program without libraries it says so, and fails although it told the others'. */
async function listed(ldd: string, programs: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(ldd, [...programs], { timeout: 10_000, maxBuffer: 1024 * 1024 })).stdout
  } catch (cause) {
    const [stdout, stderr] = ['stdout', 'stderr'].map((name) => (typeof cause === 'object' && cause !== null ? String(Reflect.get(cause, name)) : ''))
    if (`${stdout}${stderr}`.includes('not a dynamic executable')) return stdout ?? ''
    throw cause
  }
}
