import { existsSync, readdirSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { exportsTarget, judgeVersions, judgeWeftRange } from '../../engines/index.js'
import { ownPackage } from '../../loader/index.js'
import { isRecord } from '../../terminal/index.js'
import type { Manifest } from '../engine-package.js'
import { type Check, type CheckContext, type CheckResult, expect } from './check.js'
import { importsOf } from './imports.js'
import { packedSize } from './packed-size.js'

const PUBLIC = ['weft', 'weft/consensus']
/** Of Node, without I/O and clocks. Crypto for its hashes: who uses its randomness is caught by the determinism check. */
const PURE = ['assert', 'buffer', 'crypto', 'util'].flatMap((name) => [name, `node:${name}`])
const LARGE_BYTES = 1_000_000
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall']

/** What an engine's package has to be for others to install it. */
export function packageChecks({ code, loaded }: Pick<CheckContext, 'code' | 'loaded'>): Check[] {
  const { factory, plugin } = loaded
  const check = (name: string, run: Check['run']): Check => ({ part: 'package', name, kind: 'package', run })
  const ofCode = [
    check('its default export is defineEngine(factory)', () => {
      const name: unknown = isRecord(plugin) ? plugin['name'] : undefined
      const isPlugin = isRecord(plugin) && plugin['engine'] === factory && typeof plugin['apply'] === 'function'
      expect(
        isPlugin && name === `engine-${factory.name}`,
        `expected \`export default defineEngine(…)\` of weft/consensus; found ${isRecord(plugin) ? `an object with ${Object.keys(plugin).join(', ')}` : typeof plugin}`,
      )
    }),
    check('its code imports only public entry points', async () => judgeImports(await importsOf(code.file))),
  ]
  const { home } = code
  if (!home) return ofCode
  const { manifest, directory } = home
  return [
    ...ofCode,
    check('its version is that of package.json', () => {
      const fault = judgeVersions(manifest['version'], factory.version)
      expect(fault === undefined, fault ?? '')
    }),
    check('is an ESM package whose exports have types', () => judgeExports(manifest, directory)),
    check('asks for weft as a peer dependency', () => judgePeerDependency(manifest)),
    check('runs nothing when it is installed', () => {
      const scripts = isRecord(manifest['scripts']) ? manifest['scripts'] : {}
      const found = INSTALL_SCRIPTS.filter((name) => scripts[name] !== undefined)
      expect(found.length === 0, `expected no scripts ${INSTALL_SCRIPTS.join(', ')}; found ${found.join(', ')}`)
    }),
    check('says which Node it needs', () => {
      const engines = isRecord(manifest['engines']) ? manifest['engines'] : {}
      expect(typeof engines['node'] === 'string', 'expected "engines": { "node": ">=20.19" }; found none')
    }),
    check('has a name that can be found, a licence and a README', () => {
      const missing = [
        ...(String(manifest['name']).endsWith(`weft-engine-${factory.name}`) ? [] : [`a name weft-engine-${factory.name} (found ${String(manifest['name'])})`]),
        ...(typeof manifest['license'] === 'string' ? [] : ['a license']),
        ...(readdirSync(directory).some((name) => /^readme(\.md)?$/i.test(name)) ? [] : ['a README.md']),
      ]
      return missing.length === 0 ? undefined : { warning: `it lacks ${missing.join(', ')}` }
    }),
    check('is small', async () => {
      const packed = await packedSize(directory)
      if (typeof packed === 'string') return { skipped: packed }
      const measure = `${packed.files} files, ${(packed.bytes / 1000).toFixed(0)} kB unpacked`
      return packed.bytes > LARGE_BYTES ? { warning: `${measure}: is weft or a build directory in it?` } : { detail: measure }
    }),
  ]
}

function judgeImports(imports: readonly string[]): CheckResult {
  const isWeft = (name: string): boolean => name === 'weft' || name.startsWith('weft/')
  const inside = imports.filter((name) => isWeft(name) && !PUBLIC.includes(name))
  expect(!inside.includes('weft/testkit'), 'weft/testkit is for tests: the engine itself must not import it')
  const impure = imports.filter((name) => isBuiltin(name) && !PURE.includes(name))
  const reasons = [
    ...(inside.length === 0 ? [] : [`${inside.join(', ')} may change with any version of weft`]),
    ...(impure.length === 0 ? [] : [`${impure.join(', ')}: an engine has no I/O, clock or randomness of its own, and in a sandbox there is none`]),
  ]
  return reasons.length === 0 ? { detail: imports.join(', ') || 'it imports nothing' } : { warning: reasons.join('; ') }
}

function judgeExports(manifest: Manifest, directory: string): void {
  expect(manifest['type'] === 'module', `expected "type": "module"; found ${JSON.stringify(manifest['type']) ?? 'none'}`)
  const { exports } = manifest
  const root = isRecord(exports) && '.' in exports ? exports['.'] : exports
  expect(isRecord(root), 'expected exports["."] with "types" and "default"; found none')
  const types = exportsTarget(exports, ['types'])
  const isDeclaration = types !== undefined && /\.d\.[cm]?ts$/.test(types)
  expect(isDeclaration, `expected "types" in exports["."], before "default", to name a declaration file; TypeScript finds ${types ?? 'none'}`)
  expect(existsSync(join(directory, types ?? '')), `${types} does not exist: build it with declarations`)
}

function judgePeerDependency(manifest: Manifest): CheckResult | void {
  const { fault, absence, doubt } = judgeWeftRange(manifest, ownPackage().version)
  const wrong = fault ?? absence
  expect(wrong === undefined, wrong ?? '')
  return doubt === undefined ? undefined : { warning: doubt }
}
