import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { refusal } from '../errors.js'

/** One source file; `path` is relative to the chaincode's directory, with `/`. */
export interface SourceFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/** Bounds of what is read of a directory. */
export interface SourceLimits {
  readonly maxFiles: number
  readonly maxBytes: number
}

/** The order in which v0.6 visits files: entries of each directory by the bytes of their names, directories entered at their place (spec/chaincode.md §12.3). */
export function inVisitingOrder(files: readonly SourceFile[]): SourceFile[] {
  const split = files.map((file) => ({ file, names: file.path.split('/').map((name) => Buffer.from(name)) }))
  split.sort((a, b) => compareNames(a.names, b.names))
  return split.map(({ file }) => file)
}

/** Reads all files below a directory, in visiting order. Throws if it holds more than the limits, or something that is neither file nor directory. */
export async function readSourceFiles(directory: string, limits: SourceLimits): Promise<SourceFile[]> {
  const files: SourceFile[] = []
  let total = 0
  const visit = async (prefix: string): Promise<void> => {
    for (const entry of await readdir(join(directory, prefix), { withFileTypes: true })) {
      const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`
      if (entry.isDirectory()) await visit(path)
      else if (!entry.isFile()) throw refusal(`${path} in ${directory} is neither a file nor a directory`)
      else {
        const bytes = await readFile(join(directory, path))
        total += bytes.length
        files.push({ path, bytes })
      }
      if (files.length > limits.maxFiles || total > limits.maxBytes) {
        throw refusal(`${directory} holds more than ${limits.maxFiles} files or ${limits.maxBytes} bytes: it cannot be packaged`)
      }
    }
  }
  await visit('')
  return inVisitingOrder(files)
}

function compareNames(a: readonly Buffer[], b: readonly Buffer[]): number {
  for (const [index, name] of a.entries()) {
    const other = b[index]
    if (other === undefined) return 1
    const order = Buffer.compare(name, other)
    if (order !== 0) return order
  }
  return a.length - b.length
}
