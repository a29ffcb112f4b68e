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
  const names = new Map([...keys].map((key) => [key, variableOf(key)]))
  const known = new Set(names.values())
  const matched = [...names].flatMap(([key, variable]) => (env[variable] ? [{ key, variable, value: env[variable] }] : []))
  return {
    matched,
    unmatched: Object.keys(env)
      .filter((name) => name.startsWith('CORE_') && env[name] && !known.has(name))
      .sort(),
  }
}
