import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PeerError } from '../../kernel/index.js'

const PACKAGED_SITE = 'peer.config'

/** The public modules whose entry is not `<name>/index`. */
const ENTRIES: Readonly<Record<string, string>> = {
  weft: 'kernel/index',
  'weft/chaincode': 'plugins/chaincode/api/index',
  'weft/consensus': 'plugins/consensus/api/index',
  'weft/testkit': 'test/kit/index',
  'weft/peer.config': PACKAGED_SITE,
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
  /** The built module of `file`, if that is the source of the packaged site as it was built: then nothing has to be bundled to read it. */
  builtSite(file: string): string | undefined
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
    builtSite(file) {
      const module = fileOf(PACKAGED_SITE)
      const isSource = built && file === join(root, `${PACKAGED_SITE}.ts`) && existsSync(file) && existsSync(module)
      return isSource && isAsBuilt(file, module) ? module : undefined
    },
  }
}

/** Not edited since, and made of Weft's own modules alone: those are the running ones in any case. */
function isAsBuilt(source: string, module: string): boolean {
  if (statSync(source).mtimeMs > statSync(module).mtimeMs) return false
  return [...readFileSync(source, 'utf8').matchAll(/(?:from|import)[\s(]*['"](\.[^'"]*)['"]/g)].every(([, path = '']) =>
    /^\.\/(kernel|plugins|proto)\//.test(path),
  )
}

function readPackage(directory: string): { name: string; version: string } | undefined {
  const file = join(directory, 'package.json')
  const parsed: unknown = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
  if (typeof parsed !== 'object' || parsed === null || !('name' in parsed) || !('version' in parsed)) return undefined
  return { name: String(parsed.name), version: String(parsed.version) }
}
