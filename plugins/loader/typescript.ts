import { readFile } from 'node:fs/promises'
import { createRequire, isBuiltin } from 'node:module'
import { dirname, extname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { compileFunction } from 'node:vm'
import type { BuildFailure, Loader, OnResolveArgs, Plugin as EsbuildPlugin, PluginBuild } from 'esbuild'
import { PeerError, messageOf } from '../../kernel/index.js'
import { rememberBundle } from './source-maps.js'
import { isOwn, type OwnPackage, ownPackage } from './own-package.js'

/** The exports of a module, by name. */
export type ModuleExports = Readonly<Record<string, unknown>>

/**
 * Runs a TypeScript (or JavaScript) file with everything it imports by a relative path, afresh on every call, and returns its exports.
 *
 * Packages, and everything of Weft itself, are imported natively, so that they are the same modules as in the running program.
 * The file is bundled and run as a function: nothing of it stays in the ESM cache, an edited file is read again.
 * `import.meta.url`, `.dirname`, `.filename`, `__dirname` and `__filename` are those of each source file. Top-level await is not possible.
 *
 * @throws PeerError ERR_MODULE_LOAD with file, line and what is wrong
 */
export async function loadTypeScript(file: string): Promise<ModuleExports> {
  const natives: unknown[] = []
  const code = await bundle(file, natives)
  const module: { exports: unknown } = { exports: {} }
  try {
    const run = compileFunction(code, ['module', 'exports', 'require', '__natives'], { filename: file })
    rememberBundle(file, code)
    run(module, module.exports, createRequire(file), natives)
  } catch (cause) {
    throw new PeerError('ERR_MODULE_LOAD', `${file} failed while it was loaded: ${messageOf(cause)}`, { cause, details: { file } })
  }
  const exports: Record<string, unknown> = {}
  if (isObject(module.exports) && '__esModule' in module.exports) Object.assign(exports, module.exports)
  else exports['default'] = module.exports
  return exports
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** Imports an already resolved file or a built-in natively: the module that the running program has. */
export async function importNative(target: string): Promise<ModuleExports> {
  const url = isBuiltin(target) ? target : pathToFileURL(target).href
  const namespace: unknown = await import(url)
  return isObject(namespace) ? { ...namespace } : {}
}

/** The file that `import` of a package means in a directory, as Node resolves it; `undefined` if it is not installed there. */
export async function resolvePackage(specifier: string, resolveDir: string): Promise<string | undefined> {
  const esbuild = await import('esbuild')
  let file: string | undefined
  const resolver: EsbuildPlugin = {
    name: 'resolver',
    setup: (build) =>
      build.onStart(async () => {
        const found = await build.resolve(specifier, { kind: 'import-statement', resolveDir })
        if (found.errors.length === 0) file = found.path
      }),
  }
  await esbuild.build({ stdin: { contents: '' }, write: false, logLevel: 'silent', platform: 'node', conditions: [], plugins: [resolver] })
  return file
}

async function bundle(file: string, natives: unknown[]): Promise<string> {
  const { build } = await import('esbuild')
  try {
    const result = await build({
      entryPoints: [file],
      absWorkingDir: dirname(file),
      bundle: true,
      write: false,
      format: 'cjs',
      platform: 'node',
      target: 'node20',
      sourcemap: 'inline',
      logLevel: 'silent',
      tsconfigRaw: {},
      conditions: [],
      supported: { 'dynamic-import': false },
      define: { 'import.meta': '__meta', __dirname: '__meta.dirname', __filename: '__meta.filename' },
      plugins: [nativeImports(natives), sourceLocations],
    })
    return result.outputFiles[0]?.text ?? ''
  } catch (cause) {
    throw new PeerError('ERR_MODULE_LOAD', `${file} cannot be loaded: ${describe(cause)}`, { cause, details: { file } })
  }
}

function describe(cause: unknown): string {
  if (!isBuildFailure(cause)) return messageOf(cause)
  const lines = cause.errors.map(({ text, location }) => (location === null ? text : `${location.file}:${location.line}:${location.column + 1}: ${text}`))
  return lines.join('\n  ')
}

function isBuildFailure(cause: unknown): cause is BuildFailure {
  return cause instanceof Error && 'errors' in cause && Array.isArray(cause.errors)
}

/** Gives every file its own `import.meta`: they all end up in one bundle. */
const sourceLocations: EsbuildPlugin = {
  name: 'source-locations',
  setup(build) {
    build.onLoad({ filter: /\.[cm]?[jt]s$/, namespace: 'file' }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      if (!/import\.meta|__dirname|__filename/.test(text)) return undefined
      const meta = JSON.stringify({ url: pathToFileURL(path).href, dirname: dirname(path), filename: path })
      const loader: Loader = /\.[cm]?ts$/.test(extname(path)) ? 'ts' : 'js'
      return { contents: `const __meta = ${meta};${text.replace(/^#!.*/, '')}`, loader }
    })
  },
}

/** A reference that esbuild must resolve itself, without coming back to the plugin. */
const RESOLVING = Symbol('resolving')

/**
 * Imports packages and Weft's own modules natively while bundling, and hands the bundle a module with exactly their exports.
 * So default and named imports mean what they mean in Node, and a missing export is an error with its line.
 */
function nativeImports(natives: unknown[]): EsbuildPlugin {
  return {
    name: 'native-imports',
    setup(build) {
      const own = ownPackage()
      build.onResolve({ filter: /.*/ }, async (reference) => {
        if (reference.kind === 'entry-point' || reference.pluginData === RESOLVING) return undefined
        const target = await nativeTarget(reference, own, build)
        if (target === undefined) return undefined
        if (typeof target !== 'string') return target
        const isRequire = reference.kind === 'require-call'
        return { path: target, namespace: 'native', suffix: isRequire ? '?require' : '', pluginData: isRequire }
      })
      build.onLoad({ filter: /.*/, namespace: 'native' }, async ({ path, pluginData: isRequire }) => {
        if (isRequire === true && !own.contains(path)) return { contents: `module.exports = __natives[${natives.push(requireNative(path)) - 1}]`, loader: 'js' }
        const exports = await importNative(path)
        return { contents: reexport(natives.push(exports) - 1, exports), loader: 'js' }
      })
    },
  }
}

function requireNative(path: string): unknown {
  return createRequire(import.meta.url)(path)
}

/** The source of an ES module with the given exports. */
function reexport(index: number, exports: ModuleExports): string {
  const names = Object.keys(exports)
  const lines = names.map((name, n) => `const x${n} = from[${JSON.stringify(name)}]`)
  return [`const from = __natives[${index}]`, ...lines, `export { ${names.map((name, n) => `x${n} as ${JSON.stringify(name)}`).join(', ')} }`].join('\n')
}

/** What a reference means natively: a file or built-in; `undefined` if it belongs into the bundle; else an error. */
async function nativeTarget(reference: OnResolveArgs, own: OwnPackage, build: PluginBuild): Promise<string | { errors: { text: string }[] } | undefined> {
  const { path, kind, resolveDir, importer } = reference
  if (isBuiltin(path)) return path
  if (isOwn(path)) return own.entry(path)
  const found = await build.resolve(path, { kind, resolveDir, importer, pluginData: RESOLVING })
  if (found.errors.length > 0) return { errors: found.errors.map(({ text }) => ({ text })) }
  if (!/^\.{0,2}\//.test(path)) return found.path
  return own.running(found.path)
}
