import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import type { BuildContext } from 'esbuild'
import { messageOf, PeerError } from '../../../kernel/index.js'
import { entryOf, type Manifest, readManifest } from '../engine-package.js'

/** An engine's package as it is now, under a version of its own, so that a network can tell it from the one before. */
export interface DevBuild {
  /** Of the engine's package, e.g. `weft-engine-my-engine`. */
  readonly name: string
  /** `1.0.0-dev.3`: of the package and of the engine in it. */
  readonly version: string
  /** The 3 of it. */
  readonly number: number
  /** The tarball, as `npm pack` would make one, all its dependencies but weft inside. */
  readonly file: string
  /** SHA-256 of the engine's code, in hex: the same code has the same one, whatever its version. */
  readonly codeDigest: string
}

/** Builds an engine's package again and again. */
export interface DevBuilder {
  /** As package.json is now. Throws ERR_ENGINE_BUILD naming file and line, or ERR_ENGINE_MANIFEST. */
  build(): Promise<DevBuild>
  dispose(): Promise<void>
}

/**
 * Makes the builder of a package. Its source is `src/index.ts`, else what its package.json exports. `directory` gets the tarballs; its content is replaced.
 * The first build has the number after `last`.
 *
 * @throws PeerError ERR_ENGINE_MANIFEST if there is nothing to build
 */
export async function createDevBuilder(home: string, directory: string, last = 0): Promise<DevBuilder> {
  const first = readSource(home)
  await rm(directory, { recursive: true, force: true })
  const staged = join(directory, 'staged', 'package')
  await mkdir(staged, { recursive: true })
  let { entry } = first
  let bundler = await createBundler(home, entry)
  let number = last
  let before: string | undefined
  return {
    async build() {
      const { name, version: base, entry: now, manifest } = readSource(home)
      requireSame(home, first, { name, entry: now })
      if (now !== entry) {
        await bundler.dispose()
        bundler = await createBundler(home, now)
        entry = now
      }
      const { code, map } = await bundle(bundler)
      number += 1
      const version = `${base}-dev.${number}`
      const file = join(directory, `${name.replace(/^@/, '').replaceAll('/', '-')}-${version}.tgz`)
      const { peerDependencies, engines } = manifest
      await writeFile(join(staged, 'engine.js'), `${code}//# sourceMappingURL=engine.js.map\n`)
      await writeFile(join(staged, 'engine.js.map'), map)
      await writeFile(join(staged, 'index.js'), versioned(version))
      await writeFile(
        join(staged, 'package.json'),
        `${JSON.stringify({ name, version, type: 'module', exports: './index.js', peerDependencies, engines }, undefined, 2)}\n`,
      )
      await pack(join(directory, 'staged'), file)
      if (before !== undefined) await rm(before, { force: true })
      before = file
      return { name, version, number, file, codeDigest: createHash('sha256').update(code).digest('hex') }
    },
    dispose: () => bundler.dispose(),
  }
}

/** What is built, as package.json says it. */
interface Source {
  readonly name: string
  readonly entry: string
}

function readSource(home: string): Source & { readonly version: string; readonly manifest: Manifest } {
  const manifest = readManifest(home)
  const { name, version } = manifest
  if (typeof name === 'string' && typeof version === 'string') return { name, version, manifest, entry: sourceOf(home, manifest) }
  throw new PeerError('ERR_ENGINE_MANIFEST', `${join(home, 'package.json')}: expected a name and a version`)
}

/** The directory of the source is watched, and builds are told apart under the name of the package. */
function requireSame(home: string, first: Source, now: Source): void {
  const directories = [first, now].map(({ entry }) => dirname(normalize(entry)))
  const changes = [
    ...(first.name === now.name ? [] : [`the package is called ${now.name} instead of ${first.name}`]),
    ...(directories[0] === directories[1] ? [] : [`its source is in ${directories[1]} instead of ${directories[0]}, which is watched`]),
  ]
  if (changes.length === 0) return
  throw new PeerError('ERR_ENGINE_MANIFEST', `${join(home, 'package.json')} has changed: ${changes.join(', and ')}`, {
    hint: 'end peer engine dev with Ctrl-C and start it again',
  })
}

/** Of its source, below its directory. Throws ERR_ENGINE_MANIFEST if there is nothing to build. */
export function sourceOf(directory: string, manifest: Manifest): string {
  const found = ['src/index.ts', 'src/index.js'].find((path) => existsSync(join(directory, path))) ?? entryOf(directory, manifest)
  if (found !== undefined) return found
  throw new PeerError('ERR_ENGINE_MANIFEST', `${directory} has nothing to build: expected src/index.ts, or the file that package.json exports`)
}

async function createBundler(directory: string, entry: string): Promise<BuildContext> {
  const { context } = await import('esbuild')
  return context({
    entryPoints: [entry],
    absWorkingDir: directory,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['weft', 'weft/*'],
    logLevel: 'silent',
    // Else it would be undefined, and the engine would fail when it first uses it.
    logOverride: { 'import-is-undefined': 'error' },
    outfile: 'engine.js',
    // Beside the code: comments alone make no other code.
    sourcemap: 'external',
  })
}

async function bundle(bundler: BuildContext): Promise<{ readonly code: string; readonly map: string }> {
  try {
    const { outputFiles = [] } = await bundler.rebuild()
    const textOf = (ending: string): string => outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? ''
    return { code: textOf('.js'), map: textOf('.map') }
  } catch (cause) {
    throw new PeerError('ERR_ENGINE_BUILD', `the engine cannot be built: ${messageOf(cause)}`, { cause })
  }
}

/** The engine says its version itself, and need not know that it is being developed. */
function versioned(version: string): string {
  return `import { defineEngine } from 'weft/consensus'
import * as code from './engine.js'

const exported = Reflect.get(code, 'default')
const engine = exported?.engine ?? exported
if (typeof engine?.create !== 'function') throw new TypeError('expected the default export of the package to be defineEngine(…) from weft/consensus')

export default defineEngine(Object.create(engine, { version: { value: ${JSON.stringify(version)}, enumerable: true } }))
`
}

async function pack(directory: string, file: string): Promise<void> {
  const { create } = await import('tar')
  await create({ cwd: directory, file, gzip: true, portable: true, mtime: new Date(0) }, ['package'])
}
