import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { PeerError, messageOf } from '../../kernel/index.js'
import { keyOf, makeCertificate } from './certificate.js'
import { Devnet } from './devnet.js'
import { checkPlan, type DevnetPlan, type PeerPlan, peersOf } from './plan.js'
import { checkPorts } from './ports.js'
import { siteFile } from './site-file.js'

const NAME = 'weft-devnet'
const MANIFEST = 'devnet.json'

/** Where the devnet of a command is: as asked, else the one around or below a directory or its parents, else where one would be made. */
export function devnetDirectory(cwd: string, asked: string | undefined): string {
  if (asked !== undefined) return resolve(cwd, asked)
  for (let at = resolve(cwd); ; at = dirname(at)) {
    if (existsSync(join(at, MANIFEST))) return at
    if (existsSync(join(at, NAME, MANIFEST))) return join(at, NAME)
    if (dirname(at) === at) return join(resolve(cwd), NAME)
  }
}

/** The devnet in a directory, running or not; undefined: there is none. Throws ERR_DEVNET_DAMAGED if its plan cannot be read. */
export function findDevnet(directory: string): Devnet | undefined {
  const file = join(directory, MANIFEST)
  if (!existsSync(file)) return undefined
  try {
    const plan = planOf(JSON.parse(readFileSync(file, 'utf8')))
    checkPlan(plan)
    return new Devnet(directory, plan, peersOf(plan, directory))
  } catch (cause) {
    throw new PeerError('ERR_DEVNET_DAMAGED', `${file} cannot be read: ${messageOf(cause)}`, {
      cause,
      hint: `delete ${directory} if its ledgers are not needed, and begin anew: peer devnet up`,
    })
  }
}

/** As `findDevnet`; throws ERR_DEVNET_NONE where there is none. */
export function requireDevnet(directory: string): Devnet {
  const found = findDevnet(directory)
  if (found) return found
  throw new PeerError('ERR_DEVNET_NONE', `there is no devnet in ${directory}`, { hint: 'make one with peer devnet up, or say where it is with --dir' })
}

/** Writes a new devnet: one directory with its configuration file for each peer. `base`: the site that they extend. Throws ERR_DEVNET_PORTS before it writes. */
export async function createDevnet(directory: string, plan: DevnetPlan, base: string): Promise<Devnet> {
  checkPlan(plan)
  const peers = peersOf(plan, directory)
  await checkPorts(peers)
  const before = namesBefore(directory)
  try {
    mkdirSync(directory, { recursive: true })
    const certificate = plan.tls ? await makeCertificate(directory) : undefined
    for (const peer of peers) {
      mkdirSync(peer.directory, { recursive: true })
      writeFileSync(peer.config, siteFile({ plan, peers, peer, base, certificate }))
    }
    writeFileSync(join(directory, '.gitignore'), '*\n')
    // Last: what has it is whole.
    writeFileSync(join(directory, MANIFEST), `${JSON.stringify(plan, undefined, 2)}\n`)
  } catch (error) {
    removeDevnet({ directory, peers }, before)
    throw unwritten(directory, error)
  }
  return new Devnet(directory, plan, peers)
}

/**
 * Writes the configuration files that are gone once more, as `createDevnet` did; the peers that had them are returned. Throws ERR_DEVNET_DAMAGED if the certificate is
 * gone, which those that run still show.
 */
export function mendDevnet({ directory, plan, peers, certificate }: Devnet, base: string): readonly PeerPlan[] {
  const files = certificate === undefined ? undefined : { certificate, key: keyOf(directory) }
  const missing = Object.values(files ?? {}).find((file) => !existsSync(file))
  if (missing !== undefined) {
    throw new PeerError('ERR_DEVNET_DAMAGED', `${missing} is not there: the peers cannot speak to each other without it`, {
      hint: 'peer devnet down --wipe, and begin anew: peer devnet up --tls',
    })
  }
  const lost = peers.filter(({ config }) => !existsSync(config))
  try {
    for (const peer of lost) {
      mkdirSync(peer.directory, { recursive: true })
      writeFileSync(peer.config, siteFile({ plan, peers, peer, base, certificate: files }))
    }
  } catch (error) {
    throw unwritten(directory, error)
  }
  return lost
}

/** Of what the system says when a file cannot be written. */
function unwritten(directory: string, cause: unknown): unknown {
  if (!(cause instanceof Error && 'syscall' in cause)) return cause
  return new PeerError('ERR_DEVNET_WRITE', `cannot write the devnet ${directory}: ${messageOf(cause)}`, {
    cause,
    hint: 'name a place where this user may write, and where there is room, with --dir',
  })
}

/** The names in the directory of a devnet to be made; undefined: there is no directory. */
export function namesBefore(directory: string): readonly string[] | undefined {
  return existsSync(directory) ? readdirSync(directory) : undefined
}

/** Deletes what a devnet wrote, its ledgers too; its peers must be stopped. Names in `kept`, as those that were there before it, stay; without that the directory goes as well if nothing else is in it. */
export function removeDevnet({ directory, peers }: Pick<Devnet, 'directory' | 'peers'>, kept?: readonly string[]): void {
  if (!existsSync(directory)) return
  for (const path of [
    join(directory, MANIFEST),
    ...peers.map((peer) => peer.directory),
    ...['.gitignore', 'tls.pem', 'tls.key'].map((name) => join(directory, name)),
  ])
    if (kept?.includes(basename(path)) !== true) rmSync(path, { recursive: true, force: true })
  if (kept === undefined) removeIfEmpty(directory)
}

/** Something of the person's own may be in it: then it stays. */
function removeIfEmpty(directory: string): void {
  if (existsSync(directory) && readdirSync(directory).length === 0) rmdirSync(directory)
}

function planOf(value: unknown): DevnetPlan {
  if (typeof value !== 'object' || value === null) throw new Error(`expected an object, found ${typeof value}`)
  const found: { [key: string]: unknown } = { ...value }
  const { validators, engine, tls, port, set } = found
  if (typeof validators !== 'number' || typeof port !== 'number' || typeof engine !== 'string' || typeof tls !== 'boolean') {
    throw new Error('expected validators, engine, tls and port')
  }
  const entries = typeof set === 'object' && set !== null ? Object.entries(set) : []
  return { validators, engine, tls, port, set: Object.fromEntries(entries.map(([key, word]) => [key, String(word)])) }
}
