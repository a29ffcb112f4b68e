import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { create, Header, Pax } from 'tar'
import { systemClock } from '../../kernel/index.js'
import { EngineLoader } from '../../plugins/engines/engine-package.js'
import { compareVersions, InstalledEngines } from '../../plugins/engines/installed.js'
import { installEngine } from '../../plugins/engines/install.js'
import { readArchive } from '../../plugins/engines/packages/archive.js'
import { entryOf, isListed, readManifest } from '../../plugins/engines/packages/manifest.js'
import { codeDigest, ownFiles } from '../../plugins/engines/packages/own-files.js'
import { defaultProcessLimits } from '../../plugins/engines/process/limits.js'
import { PackagedEngines } from '../../plugins/engines/source.js'
import { runPeer } from '../kernel/cli/run-peer.js'
import { silentLogger } from '../kit/silent-logger.js'
import { packageFolder } from './kit.js'

let scratch = ''
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'weft-engines-test-'))
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

const loader = new EngineLoader({ ...defaultProcessLimits, sandbox: 'none' }, silentLogger, systemClock)
const digestOf = async (folder: string): Promise<string> => codeDigest(await ownFiles(folder, await readManifest(folder)))

/** A copy of the echo engine, changed. */
async function copyOf(name: string, change: (source: string) => string = (source) => source): Promise<string> {
  const folder = join(scratch, name)
  await cp(packageFolder('echo'), folder, { recursive: true })
  const file = join(folder, 'echo.js')
  await writeFile(file, change(await readFile(file, 'utf8')))
  return folder
}

async function changeManifest(folder: string, changes: Readonly<Record<string, unknown>>): Promise<void> {
  const file = join(folder, 'package.json')
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), ...changes }))
}

function sourceOf(dataDirectory: string, packages: readonly string[], trusted: readonly string[] = []): PackagedEngines {
  const options = { echo: { greeting: 'from the site' } }
  return new PackagedEngines({
    loader,
    installed: new InstalledEngines(dataDirectory),
    packages,
    directory: scratch,
    trusted,
    optionsOf: (name) => (name === 'echo' ? options.echo : {}),
    run: (_, work) => void work,
  })
}

describe('the digest of an engine', () => {
  it('is that of its own files, wherever they lie and whatever lies beside them', async () => {
    const folder = await copyOf('one')
    const digest = await digestOf(folder)
    await mkdir(join(folder, 'node_modules', 'dependency'), { recursive: true })
    await writeFile(join(folder, 'node_modules', 'dependency', 'index.js'), 'export default 1')
    await mkdir(join(folder, 'test'))
    await writeFile(join(folder, 'test', 'index.js'), 'test')
    await writeFile(join(folder, 'README.md'), 'text')
    await writeFile(join(folder, '.hidden'), 'text')
    await writeFile(join(folder, 'unlisted.txt'), 'text')
    expect(await digestOf(folder)).toBe(digest)
    expect(digest).toMatch(/^[0-9a-f]{64}$/)
    expect(await digestOf(await copyOf('two', (source) => `${source}\n`))).not.toBe(digest)
  })

  it('tells apart files whose names and contents run together', () => {
    const file = (path: string, text: string) => ({ path, bytes: Buffer.from(text) })
    expect(codeDigest([file('a', 'bc')])).not.toBe(codeDigest([file('ab', 'c')]))
    expect(codeDigest([file('a', ''), file('b', '')])).not.toBe(codeDigest([file('a', 'b')]))
  })

  it('refuses links', async () => {
    const folder = await copyOf('linked')
    await symlink('/etc/passwd', join(folder, 'passwd.js'))
    const manifest = await readManifest(folder)
    await expect(ownFiles(folder, { ...manifest, files: undefined })).rejects.toMatchObject({ code: 'ERR_ENGINE_PACKAGE' })
  })
})

describe('the entry of a package', () => {
  it.each([
    [{ exports: './echo.js' }, 'echo.js'],
    [{ exports: { '.': { types: './no.d.ts', import: { default: './echo.js' } } } }, 'echo.js'],
    [{ exports: { default: './echo.js' } }, 'echo.js'],
    [{ main: 'echo.js' }, 'echo.js'],
    [{}, 'index.js'],
  ])('is what %j says', async (said, file) => {
    const folder = packageFolder('echo')
    expect(await entryOf(folder, { name: 'x', version: '1', ...said })).toBe(join(folder, file))
  })

  it.each([{ exports: '../../kit.ts' }, { main: '/etc/passwd' }, { main: 'missing.js' }])('is refused as %j', async (said) => {
    await expect(entryOf(packageFolder('echo'), { name: 'x', version: '1', ...said })).rejects.toMatchObject({ code: 'ERR_ENGINE_PACKAGE' })
  })
})

describe('installing', () => {
  it('keeps versions side by side, from a folder or an archive alike, and says what it found', async () => {
    const data = join(scratch, 'data')
    const installed = new InstalledEngines(data)
    const folder = await copyOf('package')
    const first = await installEngine(folder, [installed], loader)
    expect(first).toMatchObject({
      note: { name: 'echo', version: '1.2.3', package: { name: 'weft-engine-echo', version: '1.2.3' } },
      outcomes: ['installed'],
      warnings: [],
    })
    expect(first.note.codeDigest).toBe(await digestOf(folder))

    const archive = join(scratch, 'echo.tgz')
    await create({ cwd: scratch, gzip: true, file: archive, portable: true }, ['package'])
    expect(await installEngine(archive, [installed], loader)).toMatchObject({ note: { codeDigest: first.note.codeDigest }, outcomes: ['there'] })

    const other = await copyOf('other', (source) => source.replace("'hello'", "'good evening'"))
    await expect(installEngine(other, [installed], loader)).rejects.toMatchObject({ code: 'ERR_ENGINE_TWICE' })
    const next = await copyOf('next', (source) => source.replace("version: '1.2.3'", "version: '1.10.0'"))
    await changeManifest(next, { version: '1.10.0' })
    await installEngine(next, [installed], loader)
    expect((await installed.list()).map(({ name, version }) => `${name}@${version}`)).toEqual(['echo@1.2.3', 'echo@1.10.0'])
    expect((await readdir(join(data, 'engines'))).sort()).toEqual(['echo@1.10.0', 'echo@1.2.3'])

    const source = sourceOf(data, [])
    expect(await source.find('ECHO', undefined)).toMatchObject({ version: '1.10.0', isolated: true, options: { greeting: 'from the site' } })
    expect(await source.find('echo', '1.2.3')).toMatchObject({ codeDigest: first.note.codeDigest, agreement: true })
    expect((await source.find('echo', undefined))?.tolerates(7)).toEqual({ crashed: 3, byzantine: 0 })
    expect(await source.find('echo', '9')).toBeUndefined()
    await writeFile(join(data, 'engines', 'echo@1.2.3', 'package', 'index.js'), 'export default 1')
    await expect(source.find('echo', '1.2.3')).rejects.toMatchObject({ code: 'ERR_ENGINE_LOAD' })

    await installed.remove('echo', '1.10.0')
    expect(await source.find('echo', '1.10.0')).toBeUndefined()
    await expect(installed.remove('echo', '1.10.0')).rejects.toMatchObject({ code: 'ERR_ENGINE_UNKNOWN' })
  })

  it('loads those that the site names before somebody asks, and says at once what is wrong with one', async () => {
    const good = await copyOf('warmed')
    const broken = await copyOf('broken', () => 'export default 1')
    const source = sourceOf(join(scratch, 'nothing-installed'), [broken, './nowhere', good])
    const warnings: unknown[] = []
    await source.warm({ ...silentLogger, warning: (_, fields) => void warnings.push(fields) })
    expect(warnings).toMatchObject([
      { package: broken, reason: expect.any(String) },
      { package: './nowhere', reason: expect.stringContaining('nowhere') },
    ])
    const named = sourceOf(join(scratch, 'nothing-installed'), [good])
    expect(await named.find('echo', undefined)).toMatchObject({ name: 'echo', isolated: true })
  })

  it('is found without reading what the site names before it for another engine', async () => {
    const other = await copyOf('other-before', (source) => source.replace("name: 'echo'", "name: 'other'"))
    const source = sourceOf(join(scratch, 'none'), [other, packageFolder('echo')])
    await expect(source.find('echo', undefined)).resolves.toMatchObject({ name: 'echo' })
    await rm(join(other, 'package.json'))
    await expect(source.find('echo', undefined)).resolves.toMatchObject({ name: 'echo' })
    await expect(source.find('other', undefined)).rejects.toMatchObject({ code: 'ERR_ENGINE_PACKAGE' })
  })

  it('is found in a package that brought another one before', async () => {
    const folder = await copyOf('renamed-later', (source) => source.replace("name: 'echo'", "name: 'before'"))
    const source = sourceOf(join(scratch, 'none'), [folder])
    await expect(source.find('before', undefined)).resolves.toMatchObject({ name: 'before' })
    const file = join(folder, 'echo.js')
    await writeFile(file, (await readFile(file, 'utf8')).replace("name: 'before'", "name: 'after'"))
    await expect(source.find('after', undefined)).resolves.toMatchObject({ name: 'after' })
    await expect(source.find('before', undefined)).resolves.toBeUndefined()
  })

  it('asks the engine what it thinks of options', async () => {
    const engine = await sourceOf(join(scratch, 'none'), [packageFolder('echo')]).find('echo', undefined)
    expect(await engine?.checkOptions({ greeting: 'x' })).toEqual({ greeting: 'x', limit: '10' })
    // Who they are for counts too, where the engine looks at that.
    const alone = [{ index: 0, id: 'vp0' }]
    expect(await engine?.checkOptions({ greeting: 'x' }, alone)).toMatchObject({ greeting: 'x' })
    await expect(engine?.checkOptions({ greeting: 'all of you' }, alone)).rejects.toMatchObject({ message: 'greeting: all of you are 1' })
    await expect(engine?.checkOptions({ greting: 'x' })).rejects.toMatchObject({
      code: 'ERR_ENGINE_OPTIONS',
      message: 'echo has no option greting',
      hint: 'there is greeting',
    })
  })

  it.each([
    ['that is no engine', 'export default 1', /expected the default export/],
    ['that does not load', 'throw new Error("not today"); export default 1', /not today at index\.js:1:7/],
    ['without a default export', 'export const engine = 1', /expected the default export of the package to be defineEngine/],
    [
      'that reads files',
      'import { readFileSync } from "node:fs"; readFileSync("/etc/passwd"); export default 1',
      /restricted at index\.js:1:\d+: an engine has no files, processes or network, and it wanted FileSystemRead/,
    ],
    [
      'with a name that is none',
      `import { defineEngine } from "weft/consensus"; export default defineEngine({ name: "My Engine", version: "1.0.0", agreement: true, tolerates: () => ({ crashed: 0, byzantine: 0 }), parseOptions: () => ({}), create: () => ({}) })`,
      /expected small letters, digits, hyphens, dots and underscores/,
    ],
    ['that needs what is not there', 'import "some-dependency"; export default 1', /some-dependency/],
    [
      'that needs what engines do not get',
      'import { engineSuite } from "weft/testkit"; export default engineSuite',
      /may import weft and weft\/consensus, but not weft\/testkit/,
    ],
  ])('refuses a package %s', async (name, code, reason) => {
    const folder = join(scratch, name.replaceAll(' ', '-'))
    await mkdir(folder)
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'weft-engine-bad', version: '1.0.0', type: 'module', exports: './index.js' }))
    await writeFile(join(folder, 'index.js'), code)
    const installed = new InstalledEngines(join(scratch, 'bad-data'))
    await expect(installEngine(folder, [installed], loader)).rejects.toThrow(reason)
    expect(await installed.list()).toEqual([])
    expect((await sourceOf(join(scratch, 'bad-data'), [folder]).list())[0]?.problem).toMatch(reason)
  })

  it.each([
    ['whose version is not that of its engine', { version: '1.2.4' }, /package\.json says 1\.2\.4, the engine 1\.2\.3/],
    ['for another weft', { peerDependencies: { weft: '^2.0.0' } }, /peerDependencies\.weft is '\^2\.0\.0', which does not take weft 0\./],
    ['with a weft of its own', { dependencies: { weft: '^0.1.0' } }, /weft stands in dependencies/],
    ['that is not built', { exports: './dist/index.js' }, /the entry \.\/dist\/index\.js of \S+unfit-that-is-not-built is missing/],
    ['that does not pack its entry', { files: ['echo.js'] }, /the entry \S+ of \S+, of what its package\.json lists as files, is missing/],
  ])('refuses a package %s, and says what to do', async (name, changes, reason) => {
    const folder = await copyOf(`unfit-${name.replaceAll(' ', '-')}`)
    await changeManifest(folder, changes)
    const installed = new InstalledEngines(join(scratch, 'unfit-data'))
    await expect(installEngine(folder, [installed], loader)).rejects.toMatchObject({
      code: 'ERR_ENGINE_PACKAGE',
      message: expect.stringMatching(reason),
      hint: expect.stringMatching(/build/),
    })
    expect(await installed.list()).toEqual([])
  })

  it('refuses an engine that refuses its own defaults, and tells of everything at once', async () => {
    const folder = await copyOf('no-defaults', (source) =>
      source.replace("greeting = 'hello'", 'greeting = gone()').replace('export const', 'const gone = () => { throw new PeerError() }\nexport const'),
    )
    await changeManifest(folder, { version: '2.0.0' })
    await expect(installEngine(folder, [new InstalledEngines(join(scratch, 'unfit-data'))], loader)).rejects.toThrow(
      /package\.json says 2\.0\.0.*; it refuses its own defaults, the options \{\}: /,
    )
  })

  it.each([
    ['latest', /the version is latest: expected a semantic version/],
    ['1.0', /the version is 1\.0: expected a semantic version/],
  ])('refuses a version that tells nobody which is newer: %s', async (version, reason) => {
    const folder = await copyOf(`version-${version}`, (source) => source.replace(/version: '[^']*'/, `version: '${version}'`))
    await changeManifest(folder, { version })
    await expect(installEngine(folder, [new InstalledEngines(join(scratch, 'versions-data'))], loader)).rejects.toThrow(reason)
  })

  it('refuses a name that differs from another by its case alone', async () => {
    const folder = await copyOf('capitals', (source) => source.replace(/name: 'echo'/, "name: 'Echo'"))
    await expect(loader.load(folder)).rejects.toThrow(
      /expected small letters, digits, hyphens, dots and underscores, at most 64, such as my-engine; found "Echo"/,
    )
  })

  it('names an archive that is not there, and mentions a package that does not ask for weft', async () => {
    const installed = new InstalledEngines(join(scratch, 'lenient-data'))
    await expect(installEngine(join(scratch, 'none.tgz'), [installed], loader)).rejects.toMatchObject({
      code: 'ERR_ENGINE_PACKAGE',
      message: expect.stringMatching(/found nothing at \S+none\.tgz/),
    })
    const folder = await copyOf('careless')
    await changeManifest(folder, { peerDependencies: undefined })
    expect((await installEngine(folder, [installed], loader)).warnings).toEqual([expect.stringMatching(/expected peerDependencies\.weft/)])
  })

  it('leaves nothing where it fails, and everything that was there before', async () => {
    const data = join(scratch, 'untouched')
    const broken = await copyOf('leaves-nothing', () => 'export default 1')
    await expect(installEngine(broken, [new InstalledEngines(join(data, 'deep'))], loader)).rejects.toThrow()
    await expect(readdir(data)).rejects.toMatchObject({ code: 'ENOENT' })
    await mkdir(join(data, 'kept', 'engines'), { recursive: true })
    await expect(installEngine(broken, [new InstalledEngines(join(data, 'kept'))], loader)).rejects.toThrow()
    expect(await readdir(join(data, 'kept'))).toEqual(['engines'])
  })

  it('takes several at once: all, or none if one is not fit', async () => {
    const broken = await copyOf('not-fit', () => 'export default 1')
    const install = (...paths: string[]) => runPeer(scratch, ['engine', 'install', ...paths, '--set', `peer.fileSystemPath=${join(scratch, 'several')}`])
    expect(await install(packageFolder('echo'), broken)).toMatchObject({ exit: 1, stdout: '' })
    await expect(readdir(join(scratch, 'several'))).rejects.toMatchObject({ code: 'ENOENT' })
    const next = await copyOf('several-next', (source) => source.replace("'1.2.3'", "'1.3.0'"))
    await changeManifest(next, { version: '1.3.0' })
    expect(await install(packageFolder('echo'), next)).toMatchObject({
      exit: 0,
      stdout: expect.stringMatching(/^installed echo@1\.2\.3 in .*\ninstalled echo@1\.3\.0 in .*\n$/),
    })
  })

  it('installs on several peers what was loaded once', async () => {
    const peers = ['vp0', 'vp1'].map((id) => new InstalledEngines(join(scratch, id)))
    expect((await installEngine(packageFolder('echo'), peers, loader)).outcomes).toEqual(['installed', 'installed'])
    expect((await installEngine(packageFolder('echo'), peers, loader)).outcomes).toEqual(['there', 'there'])
    expect(await Promise.all(peers.map(async (peer) => (await peer.list()).length))).toEqual([1, 1])
  })

  it.each([
    ['a link', async (folder: string) => symlink('/etc/passwd', join(folder, 'passwd'))],
    ['no package.json', async (folder: string) => rm(join(folder, 'package.json'))],
  ])('refuses an archive with %s', async (name, change) => {
    const folder = join(scratch, `archive ${name}`)
    await cp(packageFolder('echo'), join(folder, 'package'), { recursive: true })
    await change(join(folder, 'package'))
    const file = join(folder, 'a.tgz')
    await create({ cwd: folder, gzip: true, file }, ['package'])
    await expect(readArchive(file)).rejects.toMatchObject({ code: 'ERR_ENGINE_PACKAGE' })
  })

  it.each([
    ['an absolute path', "import x from '/etc/hostname' with { type: 'text' }"],
    ['a path upwards', "import x from '../outside.js'"],
    ['a call', "const x = require('../outside.js')"],
    ['a pattern', "const x = (name) => import('../' + name + '.js')"],
    ['a folder whose package.json leads out', "import x from './crooked'"],
    ['a name with a way up', "import x from 'dependency/../../../outside.js'"],
  ])('refuses code that is not in the package, by %s', async (way, line) => {
    const folder = await copyOf(`leads-out-${way.replaceAll(' ', '-')}`, (source) => `${line}\nconsole.log(x)\n${source}`)
    await writeFile(join(scratch, 'outside.js'), 'export default 1')
    await mkdir(join(folder, 'crooked'))
    await writeFile(join(folder, 'crooked', 'package.json'), '{"main":"../../outside.js"}')
    await mkdir(join(folder, 'node_modules', 'dependency'), { recursive: true })
    await writeFile(join(folder, 'node_modules', 'dependency', 'package.json'), '{}')
    await expect(loader.load(folder)).rejects.toMatchObject({ code: 'ERR_ENGINE_LOAD', message: expect.stringContaining('which is not in its package') })
  })

  it('takes what a package brings in folders of its own, and packages that it names', async () => {
    const folder = await copyOf(
      'brings-all',
      (source) => `import x from './lib/deep/x.js'\nimport y from 'dependency'\nimport z from '@scope/other/z.js'\nconsole.debug(x, y, z)\n${source}`,
    )
    const write = async (path: string, text: string): Promise<void> => {
      await mkdir(join(folder, path, '..'), { recursive: true })
      await writeFile(join(folder, path), text)
    }
    await write('lib/deep/x.js', "export { default } from '../../y.js'")
    await write('y.js', "export { default } from 'dependency'")
    await write('node_modules/dependency/package.json', '{"main":"./lib/main.js"}')
    await write('node_modules/dependency/lib/main.js', "export { default } from '../value.js'")
    await write('node_modules/dependency/value.js', "export { default } from '@scope/other/z.js'")
    await write('node_modules/@scope/other/z.js', "export { default } from './a/../w.js'")
    await write('node_modules/@scope/other/w.js', "import { join } from 'node:path'\nexport default join('a', 'b')")
    expect((await loader.load(folder)).description.name).toBe('echo')
  })

  it('refuses an archive that leads out of its folder, or is none', async () => {
    const file = join(scratch, 'out.tgz')
    await create({ cwd: scratch, gzip: true, file, preservePaths: true }, [join(packageFolder('echo'), 'index.js')])
    await expect(readArchive(file)).rejects.toMatchObject({ code: 'ERR_ENGINE_PACKAGE' })
    await writeFile(file, 'no archive at all')
    await expect(readArchive(file)).rejects.toMatchObject({ code: 'ERR_ENGINE_PACKAGE' })
  })
})

it('orders versions as people do', () => {
  const versions = ['1.0.0', '1.0.0-rc.1', '0.9', '1.10.0', '1.2.0', '2']
  expect(versions.sort(compareVersions)).toEqual(['0.9', '1.0.0-rc.1', '1.0.0', '1.2.0', '1.10.0', '2'])
})

describe('a package that is odd', () => {
  const MANIFEST = JSON.stringify({ name: 'weft-engine-odd', version: '1.0.0', type: 'module', exports: './index.js', peerDependencies: { weft: '^0.1.0' } })

  /** An archive of files that no file system need take. */
  async function archiveOf(name: string, paths: readonly string[]): Promise<string> {
    const file = join(scratch, `odd-${name}.tgz`)
    const entries = [...paths.map((path) => [path, '1'] as const), ['package/package.json', MANIFEST] as const]
    const blocks = entries.flatMap(([path, text]) => {
      const header = new Header({ path, mode: 0o644, size: Buffer.byteLength(text), type: 'File' })
      header.encode()
      const long = Buffer.byteLength(path) > 99 ? [new Pax({ path, size: Buffer.byteLength(text), mode: 0o644 }).encode()] : []
      return [...long, header.block ?? Buffer.alloc(512), Buffer.concat([Buffer.from(text), Buffer.alloc(512)]).subarray(0, 512 * Math.ceil(text.length / 512))]
    })
    await writeFile(file, gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)])))
    return file
  }

  it.each([
    ['a long name', [`package/${'n'.repeat(300)}.js`], /"n+…" has a name of 303 bytes: expected at most 200/],
    ['a long path', [`package/${'d'.repeat(100).concat('/').repeat(20)}x.js`], /is a path of 2024 bytes: expected at most 1024/],
    ['many levels', [`package/${'d/'.repeat(40)}x.js`], /is 41 levels deep: expected at most 32/],
    ['a way out', ['package/../../x.js'], /"package\/\.\.\/\.\.\/x\.js" leads out of the package/],
    ['an absolute path', ['/etc/x.js'], /leads out of the package/],
    ['a control character', ['package/a\u0007.js'], /is no plain path/],
    ['names that differ by case', ['package/index.js', 'package/Index.js'], /differ by their case alone/],
    ['a file that is a folder', ['package/index.js', 'package/index.js/x.js'], /"index\.js" is a file and a folder/],
    ['one file twice', ['package/index.js', 'package/index.js'], /index\.js occurs twice/],
  ])('is refused as an archive with %s', async (name, paths, reason) => {
    await expect(readArchive(await archiveOf(name.replaceAll(' ', '-'), paths))).rejects.toMatchObject({
      code: 'ERR_ENGINE_PACKAGE',
      message: expect.stringMatching(reason),
    })
  })

  it('may be packed by hand, with ./ before its folder', async () => {
    expect((await readArchive(await archiveOf('dotted', ['./package/index.js']))).map(({ path }) => path)).toEqual(['index.js', 'package.json'])
  })

  it('is not read where it is no file: a pipe never ends', async () => {
    const pipe = join(scratch, 'pipe.tgz')
    await promisify(execFile)('mkfifo', [pipe])
    await expect(readArchive(pipe)).rejects.toThrow(/it is neither a file nor a folder/)
    await symlink('/dev/zero', join(scratch, 'zeros.tgz'))
    await expect(readArchive(join(scratch, 'zeros.tgz'))).rejects.toThrow(/it is neither a file nor a folder/)
    const folder = join(scratch, 'manifest-is-a-pipe')
    await mkdir(folder)
    await promisify(execFile)('mkfifo', [join(folder, 'package.json')])
    await expect(readManifest(folder)).rejects.toThrow(/package\.json: it is a link or something else that is no file/)
  })

  it.each([
    ['[]', /package\.json: Invalid input: expected object/],
    ['{"name":5,"version":"1.0.0"}', /package\.json: name: .*expected string/],
    ['{"name":"x","version":"1.0.0","files":["{a,b}.js"]}', /package\.json: files\.0: expected paths, with \*, \*\* and \? in them/],
    [' '.repeat(300_000), /package\.json: it has 300000 bytes, more than 262144/],
  ])('is refused with the package.json %.40s', async (text, reason) => {
    const folder = await mkdtemp(join(scratch, 'manifest-'))
    await writeFile(join(folder, 'package.json'), text)
    await expect(readManifest(folder)).rejects.toMatchObject({ code: 'ERR_ENGINE_PACKAGE', message: expect.stringMatching(reason) })
  })

  it.each([
    [{ '.': ['./echo.js', './index.js'] }, 'echo.js'],
    [{ '.': { 'module-sync': './echo.js', default: './no.js' } }, 'echo.js'],
    [{ '.': { require: './no.cjs', default: './echo.js', import: './no.js' } }, 'echo.js'],
    [{ '.': { import: null, default: './echo.js' } }, 'echo.js'],
    [{ __proto__: { '.': './no.js' }, '.': './echo.js' }, 'echo.js'],
  ])('has the entry that Node would import: exports %j', async (exported, file) => {
    const folder = packageFolder('echo')
    expect(await entryOf(folder, { name: 'x', version: '1', exports: exported })).toBe(join(folder, file))
  })

  it.each([
    null,
    'echo.js',
    {},
    { './sub': './echo.js' },
    { '.': { require: './echo.js' } },
    JSON.parse(`${'{"import":'.repeat(5000)}"./echo.js"${'}'.repeat(5000)}`),
  ])('has no entry where Node would import none: exports %.60j', async (exported) => {
    await expect(entryOf(packageFolder('echo'), { name: 'x', version: '1', exports: exported })).rejects.toThrow(
      /the exports in the package\.json of \S+ name no module.*: expected a path that begins with \.\//,
    )
  })

  it('finds the entry of an old package, without its ending or as a folder', async () => {
    const folder = packageFolder('echo')
    expect(await entryOf(folder, { name: 'x', version: '1', main: './echo' })).toBe(join(folder, 'echo.js'))
    expect(await entryOf(folder, { name: 'x', version: '1', main: '.' })).toBe(join(folder, 'index.js'))
  })

  it('lists files as npm does: what is taken back is not its own', () => {
    const manifest = { name: 'x', version: '1', files: ['dist', '*.js', '!secret.js', 'a?.json'] }
    expect(['dist/a/b.js', 'x.js', 'secret.js', 'ab.json', 'abc.json'].map((path) => isListed(manifest, path))).toEqual([true, true, false, true, false])
  })

  it('is removed after an installation that was killed', async () => {
    const data = join(scratch, 'killed')
    const [old, young] = ['.scratch-old', '.new-young'].map((name) => join(data, 'engines', name))
    for (const left of [old ?? '', young ?? '']) await mkdir(left, { recursive: true })
    await utimes(old ?? '', new Date(0), new Date(0))
    await installEngine(packageFolder('echo'), [new InstalledEngines(data)], loader)
    expect((await readdir(join(data, 'engines'))).sort()).toEqual(['.new-young', 'echo@1.2.3'])
  })

  it.each([
    ['tolerates', 'tolerates: () => ({ crashed: 4, byzantine: 0 })', /tolerates\(1\) says how many of 1 may be crashed.*found \{ crashed: 4, byzantine: 0 \}/],
    ['no tolerates', 'tolerates: () => undefined', /tolerates\(1\) .* found undefined/],
    ['options', 'tolerates: () => ({ crashed: 0, byzantine: 0 }), parseOptions: async () => ({})', /parseOptions returned a promise/],
    [
      'agreement',
      "tolerates: () => ({ crashed: 0, byzantine: 0 }), agreement: 'yes'",
      /cannot be loaded: whether the engine gives agreement: expected true or false; found "yes"/,
    ],
  ])('is refused where its engine says nonsense: %s', async (name, members, reason) => {
    const folder = join(scratch, `nonsense-${name.replaceAll(' ', '-')}`)
    await mkdir(folder)
    await writeFile(join(folder, 'package.json'), MANIFEST)
    await writeFile(
      join(folder, 'index.js'),
      `import { defineEngine } from 'weft/consensus'\nexport default defineEngine({ name: 'odd', version: '1.0.0', agreement: true, parseOptions: () => ({}), create: () => ({}), ${members} })\n`,
    )
    await expect(installEngine(folder, [new InstalledEngines(join(scratch, 'nonsense-data'))], loader)).rejects.toThrow(reason)
  })

  it('whose code does not end while it loads is told so', async () => {
    const folder = await copyOf('endless', (source) => `await new Promise(() => {})\n${source}`)
    const hasty = new EngineLoader({ ...defaultProcessLimits, sandbox: 'none', startTimeoutMs: 1000 }, silentLogger, systemClock)
    await expect(hasty.load(folder)).rejects.toThrow(/its code did not load \(what it does or awaits at the top of a module does not end\) within 1000 ms/)
  })
})
