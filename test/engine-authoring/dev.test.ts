import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { x as extract } from 'tar'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createDevBuilder, type DevBuild } from '../../plugins/engine-authoring/dev/build.js'
import { eventText } from '../../plugins/engine-authoring/dev/event-text.js'
import { type DevEvent, DevLoop } from '../../plugins/engine-authoring/dev/loop.js'
import { watchTree } from '../../plugins/engine-authoring/dev/watch.js'
import { findEngineCode, loadEngine } from '../../plugins/engine-authoring/index.js'

const source = (word: string): string =>
  `import { word } from './word.js'
  import { defineEngine } from 'weft/consensus'
  export default defineEngine({ name: 'saved', version: '1.2.0', agreement: true, tolerates: () => ({ crashed: 0, byzantine: 0 }), parseOptions: () => word, create: () => ({ word: '${word}' }) })`

function makePackage(): {
  readonly directory: string
  readonly out: string
  readonly manifest: Record<string, unknown>
  save(file: string, text: string): void
} {
  const directory = mkdtempSync(join(tmpdir(), 'weft-engine-dev-'))
  const manifest = { name: 'weft-engine-saved', version: '1.2.0', type: 'module', exports: './dist/index.js', peerDependencies: { weft: '^0.1.0' } }
  mkdirSync(join(directory, 'src'))
  const save = (file: string, text: string): void => writeFileSync(join(directory, 'src', file), text)
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest))
  save('index.ts', source('first'))
  save('word.ts', "export const word = 'one'")
  return { directory, out: join(directory, '.dev'), manifest, save }
}

async function unpacked({ file }: DevBuild): Promise<string> {
  const cwd = mkdtempSync(join(tmpdir(), 'weft-engine-tarball-'))
  await extract({ file, cwd })
  return join(cwd, 'package')
}

describe('a build of an engine under development', () => {
  it('is a package with the engine in it, under a version of its own each time', async () => {
    const made = makePackage()
    const builder = await createDevBuilder(made.directory, made.out)
    onTestFinished(() => builder.dispose())
    const first = await builder.build()
    const one = await unpacked(first)
    made.save('word.ts', "export const word = 'two'")
    const second = await builder.build()
    const two = await unpacked(second)
    expect([first, second]).toMatchObject([{ name: 'weft-engine-saved', version: '1.2.0-dev.1' }, { version: '1.2.0-dev.2' }])
    expect(first.codeDigest).not.toBe(second.codeDigest)
    const engines = await Promise.all([one, two].map(async (folder) => (await loadEngine(findEngineCode(folder, '/'))).factory))
    expect(engines.map(({ name, version, parseOptions }) => [name, version, parseOptions(undefined)])).toEqual([
      ['saved', '1.2.0-dev.1', 'one'],
      ['saved', '1.2.0-dev.2', 'two'],
    ])
  })

  it('has the same digest for the same code', async () => {
    const made = makePackage()
    const builder = await createDevBuilder(made.directory, made.out)
    onTestFinished(() => builder.dispose())
    const [first, second] = [await builder.build(), await builder.build()]
    expect(second.codeDigest).toBe(first.codeDigest)
  })

  it('follows package.json: its version, what it needs, and which file it exports', async () => {
    const made = makePackage()
    rmSync(join(made.directory, 'src'), { recursive: true })
    const exporting = (changes: object): void => writeFileSync(join(made.directory, 'package.json'), JSON.stringify({ ...made.manifest, ...changes }))
    for (const word of ['one', 'two']) writeFileSync(join(made.directory, `${word}.js`), `export default { engine: { create: () => '${word}' } }`)
    exporting({ exports: './one.js' })
    const builder = await createDevBuilder(made.directory, made.out)
    onTestFinished(() => builder.dispose())
    const first = await builder.build()
    exporting({ exports: './two.js', version: '2.0.0' })
    const second = await builder.build()
    expect([first.version, second.version, first.codeDigest === second.codeDigest]).toEqual(['1.2.0-dev.1', '2.0.0-dev.2', false])
    mkdirSync(join(made.directory, 'lib'))
    writeFileSync(join(made.directory, 'lib/index.js'), 'export default {}')
    exporting({ exports: './lib/index.js', name: 'weft-engine-other' })
    await expect(builder.build()).rejects.toMatchObject({
      code: 'ERR_ENGINE_MANIFEST',
      message: expect.stringContaining(
        'the package is called weft-engine-other instead of weft-engine-saved, and its source is in lib instead of ., which is watched',
      ),
      hint: expect.stringContaining('start it again'),
    })
  })

  it('names file and line of what is wrong', async () => {
    const made = makePackage()
    made.save('word.ts', 'export const word =\n')
    const builder = await createDevBuilder(made.directory, made.out)
    onTestFinished(() => builder.dispose())
    await expect(builder.build()).rejects.toMatchObject({ code: 'ERR_ENGINE_BUILD', message: expect.stringMatching(/word\.ts:\d+:\d+/) })
  })
})

describe('a build that would fail later', () => {
  it('is refused where it uses what a file does not export', async () => {
    const made = makePackage()
    made.save('index.ts', `import { Clas } from './word.js'\nexport default new Clas()`)
    const builder = await createDevBuilder(made.directory, made.out)
    onTestFinished(() => builder.dispose())
    await expect(builder.build()).rejects.toMatchObject({ code: 'ERR_ENGINE_BUILD', message: expect.stringMatching(/index\.ts:\d+:\d+.*Clas/s) })
  })

  it('says what its package has to export', async () => {
    const made = makePackage()
    made.save('index.ts', 'export const engine = 1')
    const builder = await createDevBuilder(made.directory, made.out)
    onTestFinished(() => builder.dispose())
    const folder = await unpacked(await builder.build())
    await expect(loadEngine(findEngineCode(folder, '/'))).rejects.toThrow(/expected the default export of the package to be defineEngine/)
  })
})

const SWAPPED = { engine: 'my-engine', epoch: 1n, block: 2n, installMs: 1, swapMs: 1, recoveredWith: undefined }

describe('the loop of development', () => {
  it('swaps what was saved, one at a time, and outlives code that cannot be built and swaps that are refused', async () => {
    const made = makePackage()
    const swapped: string[] = []
    const told: DevEvent[] = []
    let swapping = 0
    const loop = new DevLoop({
      builder: await createDevBuilder(made.directory, made.out),
      home: made.directory,
      source: join(made.directory, 'src'),
      tell: (event) => told.push(event),
      swap: async ({ version }) => {
        swapping += 1
        expect(swapping).toBe(1)
        await new Promise((resolve) => setImmediate(resolve))
        swapping -= 1
        if (version.endsWith('dev.1')) throw new Error('refused: vp2 lacks the engine')
        swapped.push(version)
        return SWAPPED
      },
    })
    onTestFinished(() => loop.stop())
    await loop.start()
    expect(told.map(eventText)).toEqual(['build 1, 1.2.0-dev.1: refused: vp2 lacks the engine'])
    made.save('word.ts', 'export const word =\n')
    await vi.waitFor(() => expect(told.at(-1)).toMatchObject({ type: 'failed', build: undefined, error: { code: 'ERR_ENGINE_BUILD' } }), { timeout: 60_000 })
    made.save('word.ts', "export const word = 'two'")
    await vi.waitFor(() => expect(told.at(-1)).toMatchObject({ type: 'swapped', swapped: SWAPPED }), { timeout: 60_000 })
    expect(swapped).toHaveLength(1)
  })

  it('does not swap for a save that changes nothing, and says so', async () => {
    const made = makePackage()
    let swaps = 0
    const told: string[] = []
    const builder = await createDevBuilder(made.directory, made.out)
    const tell = ({ type }: DevEvent): void => void told.push(type)
    const loop = new DevLoop({ builder, home: made.directory, source: join(made.directory, 'src'), tell, swap: async () => ((swaps += 1), SWAPPED) })
    onTestFinished(() => loop.stop())
    await loop.start()
    made.save('word.ts', "export const word = 'one' // the same")
    await vi.waitFor(() => expect(told.at(-1)).toBe('unchanged'), { timeout: 60_000 })
    expect({ swaps, first: told[0] }).toEqual({ swaps: 1, first: 'swapped' })
  })

  it('builds again when package.json was saved, and says what is wrong with it', async () => {
    const made = makePackage()
    const told: DevEvent[] = []
    const builder = await createDevBuilder(made.directory, made.out)
    const tell = (event: DevEvent): void => void told.push(event)
    const loop = new DevLoop({ builder, home: made.directory, source: join(made.directory, 'src'), tell, swap: async () => SWAPPED })
    onTestFinished(() => loop.stop())
    await loop.start()
    writeFileSync(join(made.directory, 'package.json'), '{')
    await vi.waitFor(() => expect(told.at(-1)).toMatchObject({ type: 'failed', error: { code: 'ERR_ENGINE_MANIFEST' } }), { timeout: 60_000 })
    writeFileSync(join(made.directory, 'package.json'), JSON.stringify(made.manifest))
    await vi.waitFor(() => expect(told.at(-1)).toEqual({ type: 'unchanged' }), { timeout: 60_000 })
  })

  it('swaps code in again that a failed build has driven out', async () => {
    const made = makePackage()
    const told: DevEvent[] = []
    const loop = new DevLoop({
      builder: await createDevBuilder(made.directory, made.out),
      home: made.directory,
      source: join(made.directory, 'src'),
      tell: (event) => told.push(event),
      swap: async ({ number }, _signal, { onReplaced }) => {
        onReplaced()
        if (number === 2) throw new Error('it was swapped in, and ordered nothing')
        return SWAPPED
      },
    })
    onTestFinished(() => loop.stop())
    await loop.once()
    made.save('word.ts', "export const word = 'two'")
    await loop.once()
    made.save('word.ts', "export const word = 'one'")
    await loop.once()
    await loop.once()
    expect(told.map(({ type }) => type)).toEqual(['swapped', 'failed', 'swapped', 'unchanged'])
  })

  it('tells a swap that is under way of what was saved since', async () => {
    const made = makePackage()
    const told: DevEvent[] = []
    const loop = new DevLoop({
      builder: await createDevBuilder(made.directory, made.out),
      home: made.directory,
      source: join(made.directory, 'src'),
      tell: (event) => told.push(event),
      swap: async ({ number }, _signal, { isOutdated }) => {
        if (number > 1) return SWAPPED
        expect(isOutdated()).toBe(false)
        made.save('word.ts', "export const word = 'two'")
        await vi.waitFor(() => expect(isOutdated()).toBe(true), { timeout: 60_000 })
        throw new Error('gives way')
      },
    })
    onTestFinished(() => loop.stop())
    await loop.start()
    expect(told.map(eventText)).toEqual(['build 1, 1.2.0-dev.1: gives way', expect.stringMatching(/^build 2: /)])
  })

  it('gives up a swap that is under way when it is stopped', async () => {
    const made = makePackage()
    const told: DevEvent[] = []
    const loop = new DevLoop({
      builder: await createDevBuilder(made.directory, made.out),
      home: made.directory,
      source: join(made.directory, 'src'),
      tell: (event) => told.push(event),
      swap: (_, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('given up')))),
    })
    const started = loop.start()
    await new Promise((resolve) => setTimeout(resolve, 200))
    await loop.stop()
    await started
    expect(told).toEqual([])
  })
})

describe('the watching of a source', () => {
  it('sees a file that is replaced again and again, as editors do, and files in directories that are new', async () => {
    const { directory } = makePackage()
    let changes = 0
    onTestFinished(watchTree(directory, () => (changes += 1)))
    const seen = async (change: () => void): Promise<void> => {
      const before = changes
      change()
      await vi.waitFor(() => expect(changes).toBeGreaterThan(before), { timeout: 60_000 })
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    for (const word of ['one', 'two', 'three']) {
      await seen(() => {
        writeFileSync(join(directory, 'src/.word.ts'), word)
        renameSync(join(directory, 'src/.word.ts'), join(directory, 'src/word.ts'))
      })
    }
    await seen(() => mkdirSync(join(directory, 'src/parts')))
    await seen(() => writeFileSync(join(directory, 'src/parts/part.ts'), 'one'))
    await seen(() => rmSync(join(directory, 'src/parts'), { recursive: true }))
    await seen(() => writeFileSync(join(directory, 'src/word.ts'), 'four'))
  })
})
