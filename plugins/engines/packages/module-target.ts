import { join } from 'node:path'
import { isRecord } from '../../terminal/index.js'

/** What of a package.json says which module its name means, as it was written. */
export interface ModuleFields {
  readonly exports?: unknown
  readonly module?: unknown
  readonly main?: unknown
}

/** Of Node, for an import. */
const IMPORT_CONDITIONS: readonly string[] = ['import', 'node', 'node-addons', 'module-sync', 'default']
const MAX_DEPTH = 16

/** The path of the module that a package's name means, from its folder: `exports`, else `module`, `main` or index.js. Undefined: `exports` lead to no path that begins with ./ */
export function moduleTarget({ exports: exported, module, main }: ModuleFields): string | undefined {
  if (exported === undefined) return [module, main].find((path) => typeof path === 'string') ?? 'index.js'
  const target = exportsTarget(exported)
  return target?.startsWith('./') === true ? target : undefined
}

/** The paths that a target may mean, in the order in which they are tried: without `exports` it may lack `.js`, or name a folder with an index.js. */
export function pathsOf(target: string, { exports: exported }: ModuleFields): readonly string[] {
  return exported === undefined ? [target, `${target}.js`, join(target, 'index.js')] : [target]
}

/** Where `exports` lead, whatever that is, for an import, and for `more` conditions beside it. As for Node, conditions count in the order in which they are written; of a list the first that leads somewhere. */
export function exportsTarget(exported: unknown, more: readonly string[] = []): string | undefined {
  return targetIn(isRecord(exported) && '.' in exported ? exported['.'] : exported, [...IMPORT_CONDITIONS, ...more], 0)
}

function targetIn(exported: unknown, conditions: readonly string[], depth: number): string | undefined {
  if (typeof exported === 'string') return exported
  if (typeof exported !== 'object' || exported === null || depth > MAX_DEPTH) return undefined
  const entries = Object.entries(exported)
  const inner = Array.isArray(exported) ? entries : entries.filter(([condition]) => conditions.includes(condition))
  for (const [, one] of inner) {
    const found = targetIn(one, conditions, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}
