import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { EnginePlugin } from '../../plugins/consensus/index.js'
import { runCheck } from '../../plugins/engine-authoring/checks/check.js'
import { packageChecks } from '../../plugins/engine-authoring/checks/package.js'
import { findEngineCode } from '../../plugins/engine-authoring/engine-package.js'

interface Package {
  readonly name: string
  readonly version: string
  readonly type: string
  readonly exports: { readonly '.': { readonly types: string; readonly default: string } }
  readonly scripts: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
}

const ROOT = resolve(import.meta.dirname, '../..')
const ENGINES = join(ROOT, 'examples/engines')
/** What an engine's own code may import, and what its tests may import besides. */
const DOORS = ['weft', 'weft/consensus', 'weft/testkit']
const TOOLS = ['vitest', 'vitest/config', 'fast-check']
/** In real time, on a busy machine. */
const TIMEOUT_MS = 600_000
const names = readdirSync(ENGINES, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))

it('there are engines from outside', () => {
  expect(names).toContain('raft')
})

describe.each(names)('examples/engines/%s', (name) => {
  const folder = join(ENGINES, name)
  const manifest: Package = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

  it('is a package like any other', () => {
    expect(manifest).toMatchObject({ name: `weft-engine-${name}`, type: 'module', peerDependencies: { weft: '^0.1.0' } })
    expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(['build', 'test', 'typecheck']))
    expect(Object.keys(manifest.dependencies ?? {})).toEqual([])
    expect(existsSync(join(folder, 'README.md'))).toBe(true)
  })

  it('imports Weft through its public entry points alone', () => {
    for (const { path, specifiers } of sourcesIn(folder)) {
      const isTest = !path.startsWith(join(folder, 'src'))
      const outside = specifiers.filter((specifier) => !isInside(folder, path, specifier))
      const allowed = (specifier: string): boolean => DOORS.includes(specifier) || (isTest && (TOOLS.includes(specifier) || specifier.startsWith('node:')))
      expect({ path, outside: outside.filter((specifier) => !allowed(specifier)) }).toEqual({ path, outside: [] })
    }
  })

  it(
    'builds, and passes its own tests, against the package that is built here',
    async () => {
      installWeft(folder)
      npm(folder, 'build')
      const built: { readonly default: EnginePlugin<unknown> } = await import(
        /* @vite-ignore */ pathToFileURL(join(folder, manifest.exports['.'].default)).href
      )
      expect(existsSync(join(folder, manifest.exports['.'].types))).toBe(true)
      expect(built.default).toMatchObject({ name: `engine-${name}`, engine: { name, version: manifest.version } })
      const checks = packageChecks({ code: findEngineCode(folder, ROOT), loaded: { factory: built.default.engine, plugin: built.default } })
      const findings = await Promise.all(checks.filter(({ name: asked }) => asked !== 'is small').map(runCheck))
      expect(findings.filter(({ verdict }) => verdict !== 'passed')).toEqual([])
      npm(folder, 'test')
    },
    TIMEOUT_MS,
  )
})

/** Its TypeScript files with what they import. */
function sourcesIn(folder: string): { readonly path: string; readonly specifiers: readonly string[] }[] {
  const inside = ['src', 'test'].flatMap((part) => readdirSync(join(folder, part), { recursive: true, encoding: 'utf8' }).map((file) => join(part, file)))
  const files = [...readdirSync(folder), ...inside].filter((file) => file.endsWith('.ts'))
  return files.map((file) => {
    const path = join(folder, file)
    const matches = readFileSync(path, 'utf8').matchAll(/(?:^|\s)(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)
    return { path, specifiers: [...matches].map(([, specifier = '']) => specifier) }
  })
}

function isInside(folder: string, path: string, specifier: string): boolean {
  return specifier.startsWith('.') && resolve(path, '..', specifier).startsWith(`${folder}/`)
}

/** `weft` as npm would install it, with the `dist` of this repository; the tools are found further up. */
function installWeft(folder: string): void {
  if (!existsSync(join(ROOT, 'dist/test/kit/index.d.ts'))) throw new Error('expected dist/ with declarations: npm run build')
  const installed = join(folder, 'node_modules/weft')
  rmSync(installed, { recursive: true, force: true })
  mkdirSync(installed, { recursive: true })
  copyFileSync(join(ROOT, 'package.json'), join(installed, 'package.json'))
  symlinkSync(join(ROOT, 'dist'), join(installed, 'dist'), 'dir')
}

/** Runs one of its scripts as its author would, with few seeds. */
function npm(folder: string, script: string): void {
  // This test's own runner is told by variables what it is; the package's runner is another.
  const inherited = Object.entries(process.env).filter(([variable]) => !/^(VITEST|VITE|npm_|NODE_ENV|TEST$|MODE$)/.test(variable))
  const env = { ...Object.fromEntries(inherited), WEFT_KIT_SEEDS: process.env['WEFT_KIT_SEEDS'] ?? '1' }
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', script], { cwd: folder, env, encoding: 'utf8', timeout: TIMEOUT_MS })
  if (status !== 0) throw new Error(`npm run ${script} in ${folder} ended with ${status}:\n${stdout}\n${stderr}`)
}
