/** Of a file or folder: what the file systems of all validators take. */
const MAX_NAME_BYTES = 200
const MAX_PATH_BYTES = 1024
const MAX_DEPTH = 32

/** What is wrong with a path in a package, with `/`; undefined: nothing. */
export function judgePath(path: string): string | undefined {
  const parts = path.split('/')
  const isPlain = (part: string): boolean => part !== '' && part !== '.' && part !== '..' && !/[\\:\p{Cc}]/u.test(part)
  if (!parts.every(isPlain)) return `${shown(path)} is no plain path`
  const longest = Math.max(...parts.map((part) => Buffer.byteLength(part)))
  if (longest > MAX_NAME_BYTES) return `${shown(path)} has a name of ${longest} bytes: expected at most ${MAX_NAME_BYTES}`
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `${shown(path)} is a path of ${Buffer.byteLength(path)} bytes: expected at most ${MAX_PATH_BYTES}`
  return parts.length > MAX_DEPTH ? `${shown(path)} is ${parts.length} levels deep: expected at most ${MAX_DEPTH}` : undefined
}

/** Which of some paths cannot lie beside each other everywhere: one that is a file and a folder, and two that differ by their case alone. */
export function clashIn(paths: readonly string[]): string | undefined {
  const all = new Set(paths)
  const seen = new Map<string, string>()
  for (const path of paths) {
    const parts = path.split('/')
    for (let count = 1; count <= parts.length; count++) {
      const part = parts.slice(0, count).join('/')
      if (count < parts.length && all.has(part)) return `${shown(part)} is a file and a folder`
      const other = seen.get(part.toLowerCase())
      if (other !== undefined && other !== part)
        return `${shown(other)} and ${shown(part)} differ by their case alone, which some file systems do not tell apart`
      seen.set(part.toLowerCase(), part)
    }
  }
  return undefined
}

/** For an error: neither too long nor with control characters. */
export function shown(path: string): string {
  return JSON.stringify(path.length > 80 ? `${path.slice(0, 79)}…` : path)
}
