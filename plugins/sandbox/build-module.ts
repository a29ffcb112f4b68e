import { dirname } from 'node:path'
import type { BuildFailure, BuildOptions, Message } from 'esbuild'
import { type ErrorCode, PeerError } from '../../kernel/index.js'
import { ownSource } from './own-source.js'

/**
 * Bundles into one ES module, held in memory. The same sources give the same bytes wherever they lie: no paths, no times, no tsconfig.json, no environment.
 *
 * @throws PeerError with the code, naming what does not compile or cannot be found
 */
export async function buildModule(code: ErrorCode, options: BuildOptions): Promise<Uint8Array> {
  const esbuild = await import('esbuild')
  try {
    const { outputFiles } = await esbuild.build({
      sourcemap: false,
      ...options,
      bundle: true,
      write: false,
      format: 'esm',
      target: 'es2023',
      charset: 'utf8',
      legalComments: 'none',
      minifyWhitespace: true,
      minifySyntax: true,
      treeShaking: true,
      nodePaths: [],
      tsconfigRaw: {},
      define: { 'process.env.NODE_ENV': '"production"' },
      logLevel: 'silent',
    })
    const [output] = outputFiles ?? []
    if (output === undefined) throw new PeerError(code, 'esbuild wrote no file')
    return output.contents
  } catch (cause) {
    if (!isBuildFailure(cause)) throw cause
    throw new PeerError(code, cause.errors.slice(0, 5).map(describe).join('; '), { cause })
  }
}

/** Bundles one of Weft's own programs that run inside a sandbox, named as `ownSource` does. */
export async function bundleGuest(module: string): Promise<Uint8Array> {
  const entry = ownSource(module)
  return buildModule('ERR_SANDBOX_LAUNCH', { entryPoints: [entry], absWorkingDir: dirname(entry), platform: 'node' })
}

function isBuildFailure(cause: unknown): cause is BuildFailure {
  return cause instanceof Error && 'errors' in cause && Array.isArray(cause.errors)
}

/** Without the source line: the message may reach a client that must not read this peer's files. */
function describe({ text, location }: Message): string {
  return location === null ? text : `${location.file}:${location.line}: ${text}`
}
