import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasYoungRoom, NODE_FLAGS, ownPackage } from '../../loader/index.js'
import { DoctorCheck, type Patient, checkUsage } from '../check.js'
import type { Finding } from '../finding.js'

interface Manifest {
  readonly version?: string
  readonly engines?: { readonly node?: string }
  readonly dependencies?: Readonly<Record<string, string>>
}

/** `peer doctor versions`: Node.js, this program, and the packages that it was made with. */
export class VersionsCheck extends DoctorCheck {
  static override paths = [['doctor', 'versions']]
  static override usage = checkUsage('versions', 'the versions of Node.js, of this program and of its packages')

  async examine({ version }: Patient): Promise<readonly Finding[]> {
    const { root } = ownPackage()
    const own = readManifest(join(root, 'package.json'))
    return [
      nodeFinding(process.versions.node, own?.engines?.node ?? ''),
      flagsFinding(hasYoungRoom(process.versions.node, process.execArgv, process.env['NODE_OPTIONS'])),
      { level: 'ok', found: `weft ${version || own?.version}, in ${root}` },
      packages(root, own?.dependencies ?? {}),
    ]
  }
}

/** What a peer that is started as this command was has for young objects. */
export function flagsFinding(hasRoom: boolean): Finding {
  const flags = NODE_FLAGS.join(' ')
  if (hasRoom) return { level: 'ok', found: 'peers started from here have room for young objects' }
  return {
    level: 'warning',
    found: `peers started from here run without ${flags}: a busy one takes a sixth more CPU on this Node.js`,
    todo: `set NODE_OPTIONS=${flags} where peers are started (the unit and the image of examples/ do), or use Node.js 24`,
  }
}

/** `range` is `>=` and a version. */
export function nodeFinding(running: string, range: string): Finding {
  const least = range.replace(/^>=\s*/, '')
  const found = `Node.js ${running} on ${process.platform}-${process.arch}`
  if (compare(running, least) >= 0) return { level: 'ok', found, details: { node: running, needed: range } }
  return { level: 'failure', found: `${found}, expected ${range}`, todo: `install Node.js ${least} or later`, details: { node: running, needed: range } }
}

function packages(root: string, wanted: Readonly<Record<string, string>>): Finding {
  const found = Object.entries(wanted).map(([name, version]) => ({ name, version, installed: installedVersion(root, name) }))
  const missing = found.filter(({ installed }) => installed === undefined)
  const others = found.filter(({ installed, version }) => installed !== undefined && installed !== version)
  if (missing.length > 0)
    return { level: 'failure', found: `packages are missing: ${missing.map(({ name }) => name).join(', ')}`, todo: `run npm ci in ${root}` }
  if (others.length > 0) {
    const list = others.map(({ name, installed, version }) => `${name} ${installed} instead of ${version}`).join(', ')
    return { level: 'warning', found: `packages of other versions than this program was tested with: ${list}`, todo: `run npm ci in ${root}` }
  }
  return { level: 'ok', found: `${found.length} packages, as pinned` }
}

/** Where Node would find it: beside the package, or above it where weft itself is a dependency. */
function installedVersion(root: string, name: string): string | undefined {
  for (let at = root; ; at = join(at, '..')) {
    const file = join(at, 'node_modules', name, 'package.json')
    if (existsSync(file)) return readManifest(file)?.version
    if (join(at, '..') === at) return undefined
  }
}

function readManifest(file: string): Manifest | undefined {
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'))
  return typeof parsed === 'object' && parsed !== null ? parsed : undefined
}

/** Compares dotted numbers. */
function compare(left: string, right: string): number {
  const [a, b] = [left, right].map((version) => version.split('.').map((part) => Number.parseInt(part, 10) || 0))
  for (const index of [0, 1, 2]) {
    const difference = (a?.[index] ?? 0) - (b?.[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
