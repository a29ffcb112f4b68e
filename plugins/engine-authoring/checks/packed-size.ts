import { execFile } from 'node:child_process'
import { messageOf } from '../../../kernel/index.js'
import { isRecord } from '../../terminal/index.js'

/** What `npm pack` would put into a package's tarball; a text: why that cannot be known here. */
export function packedSize(directory: string): Promise<{ readonly files: number; readonly bytes: number } | string> {
  return new Promise((resolve) => {
    execFile('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: directory, maxBuffer: 16 * 1024 * 1024, timeout: 300_000 }, (error, stdout) => {
      if (error) return resolve(`npm pack cannot say: ${messageOf(error).split('\n')[0] ?? ''}`)
      resolve(read(stdout) ?? 'npm pack answered something else than it does')
    })
  })
}

function read(stdout: string): { readonly files: number; readonly bytes: number } | undefined {
  const told: unknown = JSON.parse(stdout)
  // A list of packages up to npm 11, an object by package name after it.
  const [first]: unknown[] = Array.isArray(told) ? told : isRecord(told) ? Object.values(told) : []
  if (!isRecord(first)) return undefined
  const { entryCount, unpackedSize } = first
  return typeof entryCount === 'number' && typeof unpackedSize === 'number' ? { files: entryCount, bytes: unpackedSize } : undefined
}
