/**
 * Flags of Node for processes that work under load: 64 MiB for young objects, since most of what a transaction makes is garbage before that fills up.
 * Node 20's own is a quarter: a sixth more CPU. It counts from the start of a process alone, so that a peer cannot give it to itself.
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=64']

/** From this major version on, Node has as much by itself. */
const ENOUGH_BY_ITSELF = 24

/** Whether a process with these arguments and options of Node has room for young objects. */
export function hasYoungRoom(version: string, argv: readonly string[], nodeOptions = ''): boolean {
  const isSaid = [...argv, ...nodeOptions.split(/\s+/)].some((word) => /^--max[-_]semi[-_]space[-_]size=/.test(word))
  return isSaid || Number(version.split('.')[0]) >= ENOUGH_BY_ITSELF
}
