import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PeerError } from '../../kernel/index.js'

/** The public modules whose entry is not `<name>/index`. */
const ENTRIES: Readonly<Record<string, string>> = {
  weft: 'kernel/index',
  'weft/chaincode': 'plugins/chaincode/api/index',
  'weft/consensus': 'plugins/consensus/api/index',
  'weft/testkit': 'test/kit/index',
  'weft/peer.config': 'peer.config',
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
  for (; readPackage(root)?.name !== 'weft'; root = dirname(root)) {
    if (dirname(root) === root) throw new PeerError('ERR_PACKAGE_NOT_FOUND', `no package.json of weft above ${here}`)
  }
  const built = here.startsWith(join(root, 'dist') + sep)
  const fileOf = (module: string): string => (built ? join(root, 'dist', `${module}.js`) : join(root, `${module}.ts`))
  return {
    root,
    version: readPackage(root)?.version ?? '',
    entry(specifier) {
      const file = fileOf(ENTRIES[specifier] ?? `${specifier.slice('weft/'.length)}/index`)
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

function readPackage(directory: string): { name: string; version: string } | undefined {
  const file = join(directory, 'package.json')
  const parsed: unknown = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
  if (typeof parsed !== 'object' || parsed === null || !('name' in parsed) || !('version' in parsed)) return undefined
  return { name: String(parsed.name), version: String(parsed.version) }
}
