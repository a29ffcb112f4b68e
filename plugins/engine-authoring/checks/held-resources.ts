/** What keeps a process alive, and who listens to it, by name. */
export function heldResources(): Map<string, number> {
  const held = new Map<string, number>()
  const add = (name: string, count: number): void => void held.set(name, (held.get(name) ?? 0) + count)
  for (const name of process.getActiveResourcesInfo()) add(name, 1)
  for (const name of process.eventNames()) add(`listeners of process '${String(name)}'`, process.listenerCount(name))
  return held
}
