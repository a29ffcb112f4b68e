import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PeerError } from '../errors.js'

/** The entry of each public module of this package, below `dist/` or, from sources, below the root. */
function entryOf(specifier: string): string {
  switch (specifier) {
    case 'weft':
      return 'kernel/index'
    case 'weft/chaincode':
      return 'plugins/chaincode/api/index'
    case 'weft/consensus':
      return 'plugins/consensus/index'
    case 'weft/testkit':
      return 'test/kit/index'
    case 'weft/peer.config':
      return 'peer.config'
    default:
      return `${specifier.slice('weft/'.length)}/index`
  }
}

/** The package that is running: where its modules are, built or as sources. */
export interface OwnPackage {
  readonly root: string
  readonly version: string
  /** File of `weft` or `weft/...`; throws ERR_MODULE_UNKNOWN if there is none. */
  entry(specifier: string): string
  /** True for the package's own modules, as against those of its dependencies. */
  contains(file: string): boolean
  /** The running module of a source file of this package (`/…/plugins/level/index.ts`), or `undefined` for any other file. */
  running(file: string): string | undefined
}

/** True for `weft` and `weft/...`: modules that always mean this very package, wherever the site lies. */
export function isOwn(specifier: string): boolean {
  return specifier === 'weft' || /^weft\/[a-z][\w./-]*$/.test(specifier)
}

/** Finds the package of the running program, from its own location. */
export function ownPackage(here: string = fileURLToPath(import.meta.url)): OwnPackage {
  let root = dirname(here)
  while (!isRoot(root)) {
    if (dirname(root) === root) throw new PeerError('ERR_PACKAGE_NOT_FOUND', `no package.json of weft above ${here}`)
    root = dirname(root)
  }
  const built = here.startsWith(join(root, 'dist') + sep)
  const fileOf = (module: string): string => (built ? join(root, 'dist', `${module}.js`) : join(root, `${module}.ts`))
  return {
    root,
    version: readPackage(root).version,
    entry(specifier) {
      const file = fileOf(entryOf(specifier))
      if (existsSync(file)) return file
      throw new PeerError('ERR_MODULE_UNKNOWN', `weft has no module ${specifier}`, { details: { specifier, file } })
    },
    contains: (file) => file.startsWith(root + sep) && !file.includes(`${sep}node_modules${sep}`, root.length),
    running(file) {
      const path = relative(root, file)
      if (!/^(kernel|plugins|proto)[\\/].*\.ts$/.test(path) || path.includes('node_modules')) return undefined
      const running = fileOf(path.slice(0, -'.ts'.length))
      return existsSync(running) ? running : undefined
    },
  }
}

function isRoot(directory: string): boolean {
  return existsSync(join(directory, 'package.json')) && readPackage(directory).name === 'weft'
}

function readPackage(directory: string): { name: string; version: string } {
  const parsed: unknown = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  const { name, version } = Object(parsed)
  return { name: String(name), version: String(version) }
}
