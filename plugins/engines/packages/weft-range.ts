import { takesVersion } from './version-range.js'

/** How a package asks for weft: `fault`: as none may; `absence`: not at all; `doubt`: in a form that is not read here; none of them: as it has to. */
export interface WeftRangeVerdict {
  readonly fault?: string
  readonly absence?: string
  readonly doubt?: string
}

/** Whether a package asks for weft as an engine's package has to: as a peer dependency whose range takes the version that runs, and nowhere else. `manifest`: its package.json. */
export function judgeWeftRange(manifest: Readonly<Record<string, unknown>>, version: string): WeftRangeVerdict {
  const { dependencies, peerDependencies } = manifest
  if (rangeIn(dependencies) !== undefined)
    return { fault: 'weft stands in dependencies: a second copy of it would be installed, whose types and errors are others; expected it in peerDependencies' }
  const range = rangeIn(peerDependencies)
  if (typeof range !== 'string') return { absence: `expected peerDependencies.weft, such as ^${version}; found none` }
  const takes = takesVersion(range, version)
  if (takes === undefined) return { doubt: `peerDependencies.weft is '${range}', a form that this check does not read; weft is ${version}` }
  return takes ? {} : { fault: `peerDependencies.weft is '${range}', which does not take weft ${version}` }
}

/** Of semver.org, without its limits on zeros. */
const VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/

/** What is wrong with the version of a package and that of its engine; undefined: they are the same semantic version. */
export function judgeVersions(ofPackage: unknown, ofEngine: string): string | undefined {
  if (ofPackage === ofEngine) return VERSION.test(ofEngine) ? undefined : `the version is ${ofEngine}: expected a semantic version, such as 1.0.0`
  return `package.json says ${String(ofPackage)}, the engine ${ofEngine}: a network tells engines apart by name and version`
}

function rangeIn(section: unknown): unknown {
  return typeof section === 'object' && section !== null ? Reflect.get(section, 'weft') : undefined
}
