import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PeerError, messageOf } from '../../kernel/index.js'

/** Failed logins leave key directories behind; nobody may fill the disk with them. */
const MAX_LEFT_DIRECTORIES = 1000

/** What a login needs of a membership service. */
export type EnrollUser = (enrollId: string, enrollSecret: string) => Promise<void>

/** Users that are logged in at this peer: a token file for each, and a directory with their keys (spec/node.md §3 "Files under FS"). */
export interface Registrar {
  /** Undefined if `id` may be an enrollment id. Throws ERR_REST_PATTERN if the site's pattern is missing or is no regular expression. */
  isValid(id: string): boolean
  isLoggedIn(id: string): Promise<boolean>
  /** Throws with the text of the membership service, or ERR_REST_TOKEN if the token cannot be stored. */
  login(id: string, secret: string): Promise<void>
  /** False if there was nothing to delete. Throws with v0.6's texts. */
  logout(id: string): Promise<boolean>
}

/**
 * The registrar of a peer that stores below `directory`. This peer speaks to no membership service: `enroll` fails as v0.6 does when none answers.
 */
export function createRegistrar(directory: () => string, pattern: string, enroll: EnrollUser): Registrar {
  const tokenFile = (id: string): string => join(directory(), 'client', `loginToken_${id}`)
  const clients = (): string => join(directory(), 'crypto', 'client')
  return {
    isValid(id) {
      if (pattern === '') throw new PeerError('ERR_REST_PATTERN', 'Missing configuration key rest.validPatterns.enrollmentID')
      // Whatever the pattern says, an id becomes the name of a file.
      if (id === '' || id === '.' || id === '..' || /[/\\\0]/.test(id) || Buffer.byteLength(id) > 200) return false
      try {
        return new RegExp(pattern).test(id)
      } catch (cause) {
        throw new PeerError('ERR_REST_PATTERN', `rest.validPatterns.enrollmentID: ${messageOf(cause)}`, { cause })
      }
    },
    isLoggedIn: (id) => exists(tokenFile(id)),
    async login(id, secret) {
      await leaveDirectory(clients(), id)
      await enroll(id, secret)
      try {
        await mkdir(join(directory(), 'client'), { recursive: true })
        await writeFile(tokenFile(id), id, { mode: 0o600 })
      } catch (cause) {
        throw new PeerError('ERR_REST_TOKEN', messageOf(cause), { cause })
      }
    },
    async logout(id) {
      const keys = join(clients(), id)
      const [hasToken, hasKeys] = await Promise.all([exists(tokenFile(id)), exists(keys)])
      if (!hasToken && !hasKeys) return false
      await removing(`Error trying to delete login token for user ${id}`, () => rm(tokenFile(id), { force: true }))
      await removing(`Error trying to delete login directory for user ${id}`, () => rm(keys, { recursive: true, force: true }))
      return true
    },
  }
}

/** v0.6 makes the key directory before it asks the membership service, and clients see so when they log out. */
async function leaveDirectory(clients: string, id: string): Promise<void> {
  await mkdir(clients, { recursive: true })
  if ((await readdir(clients)).length < MAX_LEFT_DIRECTORIES) await mkdir(join(clients, id), { recursive: true, mode: 0o700 })
}

async function removing(what: string, remove: () => Promise<void>): Promise<void> {
  try {
    await remove()
  } catch (cause) {
    throw new PeerError('ERR_REST_LOGOUT', `${what}: ${messageOf(cause)}`, { cause })
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')) return false
    throw cause
  }
}
