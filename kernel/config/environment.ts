/** The environment variable of a key: `peer.listenAddress` is `CORE_PEER_LISTENADDRESS` (spec/node.md §2.2). */
export function variableOf(key: string): string {
  return `CORE_${key.toUpperCase().replaceAll('.', '_')}`
}

/** What the environment says about a site's keys. */
export interface EnvironmentValues {
  /** Key, variable and text of every variable that a key answers to. */
  readonly matched: readonly { readonly key: string; readonly variable: string; readonly value: string }[]
  /** Other non-empty `CORE_*` variables. */
  readonly unmatched: readonly string[]
}

/**
 * Matches `CORE_*` variables with keys. The names lose case and cannot tell `.` from `_`, so they are never turned back
 * into keys: known keys are turned into names instead. An empty variable is as good as none (spec/node.md §2.2).
 */
export function readEnvironment(env: NodeJS.ProcessEnv, keys: Iterable<string>): EnvironmentValues {
  const present = new Map<string, string>()
  for (const [name, value] of Object.entries(env)) if (name.startsWith('CORE_') && value !== undefined && value !== '') present.set(name, value)
  const matched = []
  const used = new Set<string>()
  for (const key of keys) {
    const variable = variableOf(key)
    const value = present.get(variable)
    if (value === undefined) continue
    used.add(variable)
    matched.push({ key, variable, value })
  }
  return { matched, unmatched: [...present.keys()].filter((name) => !used.has(name)).sort() }
}
