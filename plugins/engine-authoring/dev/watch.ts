import { type FSWatcher, readdirSync, watch } from 'node:fs'
import { join } from 'node:path'

const LEFT_OUT = new Set(['node_modules', '.git'])

/**
 * Tells of every change below a directory, until what it returns is called. Each directory is watched by itself: the recursive watching of Node 20 loses a file that
 * an editor replaces, as most do when they save.
 */
export function watchTree(root: string, changed: () => void): () => void {
  const watchers = new Map<string, FSWatcher>()
  const unwatch = (directory: string): void => {
    watchers.get(directory)?.close()
    watchers.delete(directory)
  }
  const look = (): void => {
    const found = new Set(directoriesBelow(root))
    for (const directory of watchers.keys()) if (!found.has(directory)) unwatch(directory)
    for (const directory of found) if (!watchers.has(directory)) begin(directory)
  }
  const begin = (directory: string): void => {
    const watcher = watch(directory, () => {
      look()
      changed()
    })
    // Deleted while it is watched: whoever holds it tells of that too.
    watcher.on('error', () => unwatch(directory))
    watchers.set(directory, watcher)
  }
  look()
  return () => [...watchers.keys()].forEach(unwatch)
}

/** Tells of every change of one file, until what it returns is called. Its directory is watched: editors replace files. */
export function watchFile(directory: string, name: string, changed: () => void): () => void {
  const watcher = watch(directory, (_event, file) => {
    if (file === name) changed()
  })
  watcher.on('error', () => watcher.close())
  return () => watcher.close()
}

function directoriesBelow(directory: string): string[] {
  try {
    const inside = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !LEFT_OUT.has(entry.name))
    return [directory, ...inside.flatMap(({ name }) => directoriesBelow(join(directory, name)))]
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
