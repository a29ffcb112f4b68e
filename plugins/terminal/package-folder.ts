import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { PeerError } from '../../kernel/index.js'

/**
 * The folder of a package that a person named after `flag`, by its name or by its folder, as seen from `cwd`: in full, since the peers that need it run elsewhere.
 * Throws ERR_USAGE if there is none.
 */
export function packageFolder(flag: string, named: string, cwd: string): string {
  const folder = resolve(cwd, named)
  const isFolder = /^(\.{0,2}\/|\.{1,2}$)/.test(named)
  const installed = isFolder ? undefined : ancestors(resolve(cwd)).find((above) => isPackage(join(above, 'node_modules', named)))
  if (installed !== undefined) return join(installed, 'node_modules', named)
  if (isPackage(folder)) return folder
  const found = existsSync(folder)
    ? `${folder} has no package.json`
    : isFolder
      ? `${folder} is not there`
      : `${named} is neither in a node_modules from ${cwd} upwards nor a folder`
  throw new PeerError('ERR_USAGE', `${flag}: expected a package, by its name or its folder; found that ${found}`, {
    hint: `npm install it here, or give the path of its folder, as in ${flag} ./my-engine`,
  })
}

function isPackage(folder: string): boolean {
  return existsSync(join(folder, 'package.json'))
}

/** A directory and those that it is in, up to the root. */
function ancestors(directory: string): readonly string[] {
  const above = dirname(directory)
  return above === directory ? [directory] : [directory, ...ancestors(above)]
}
