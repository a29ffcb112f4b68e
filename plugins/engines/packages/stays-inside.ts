import { realpathSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { relative, resolve, sep } from 'node:path'
import type { OnResolveArgs, Plugin } from 'esbuild'

const NODE_MODULES = `${sep}node_modules${sep}`
/** Asked by this plugin itself: not to be asked again. */
const ASKED = Symbol('asked')

/**
 * Refuses imports by path that leave a package: what is not a package's own must not come into the code of an engine that nobody vouches for, be it a key of this
 * peer, a device that never ends, or what differs on each validator. What it imports by name comes from packages, each of which has to keep to itself, too.
 */
export function staysInside(folder: string): Plugin {
  const home = realpathSync(folder)
  const admitted = new Set<string>()
  return {
    name: 'stays-inside',
    setup(build) {
      build.onResolve({ filter: /./, namespace: 'file' }, async (args) => {
        if (args.pluginData === ASKED || isBuiltin(args.path)) return undefined
        // Only what it comes to counts: a package.json, or a link, may lead out as well as the path itself.
        const { kind, importer, namespace, resolveDir, with: attributes } = args
        const found = await build.resolve(args.path, { kind, importer, namespace, resolveDir, with: attributes, pluginData: ASKED })
        if (found.errors.length > 0 || found.external || found.namespace !== 'file') return found
        const root = rootOf(args, home)
        if (root !== undefined && !isWithin(root, found.path) && !isName(args.path)) return refusal(args.path)
        admitted.add(found.path)
        return found
      })
      // Files that a pattern means are not asked about above.
      build.onLoad({ filter: /./, namespace: 'file' }, ({ path }) =>
        admitted.has(path) || isWithin(home, path) || isPackaged(path) ? undefined : refusal(path),
      )
    },
  }
}

function refusal(path: string): { errors: { text: string }[] } {
  return { errors: [{ text: `it imports ${path}, which is not in its package: an engine is made of its own files and of packages that it names` }] }
}

/** The folder that a file must not leave; undefined: it belongs to a package that was linked here by whoever runs this peer. */
function rootOf({ importer, resolveDir }: OnResolveArgs, home: string): string | undefined {
  const from = isWithin(home, importer) ? importer : resolveDir
  if (isWithin(home, from)) {
    const inside = relative(home, from)
    return isPackaged(`${sep}${inside}`) ? resolve(home, packageIn(inside)) : home
  }
  return isPackaged(from) ? packageIn(from) : undefined
}

/** Of a path below a node_modules: the folder of the package that it belongs to. */
function packageIn(path: string): string {
  const at = `${sep}${path}`.lastIndexOf(NODE_MODULES) + NODE_MODULES.length - 1
  const [scope = '', name = ''] = path.slice(at).split(sep)
  return path.slice(0, at) + (scope.startsWith('@') ? `${scope}${sep}${name}` : scope)
}

function isPackaged(path: string): boolean {
  return path.includes(NODE_MODULES)
}

/** Whether a specifier means a package, not a path. */
function isName(path: string): boolean {
  return /^(@[^/\\.]|[^./\\@#])/.test(path) && !/^[A-Za-z]:[\\/]|^file:/.test(path) && !path.split(/[\\/]/).includes('..')
}

function isWithin(folder: string, path: string): boolean {
  const inside = relative(folder, path)
  return inside === '' || !(inside === '..' || inside.startsWith(`..${sep}`) || inside.startsWith(sep) || /^[A-Za-z]:/.test(inside))
}
