import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { x as extract } from 'tar'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createDevBuilder, type DevBuild } from '../../plugins/engine-authoring/dev/build.js'
import { DevLoop } from '../../plugins/engine-authoring/dev/loop.js'
import { findEngineCode, loadEngine } from '../../plugins/engine-authoring/index.js'

vi.setConfig({ testTimeout: 60_000 })

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
    const builder = await createDevBuilder(made, made.out)
    onTestFinished(() => builder.dispose())
    const first = await builder.build()
    made.save('word.ts', "export const word = 'two'")
    const second = await builder.build()
    expect([first, second]).toMatchObject([{ name: 'weft-engine-saved', version: '1.2.0-dev.1' }, { version: '1.2.0-dev.2' }])
    expect(first.codeDigest).not.toBe(second.codeDigest)
    const engines = await Promise.all([first, second].map(async (build) => (await loadEngine(findEngineCode(await unpacked(build), '/'))).factory))
    expect(engines.map(({ name, version, parseOptions }) => [name, version, parseOptions(undefined)])).toEqual([
      ['saved', '1.2.0-dev.1', 'one'],
      ['saved', '1.2.0-dev.2', 'two'],
    ])
  })

  it('has the same digest for the same code', async () => {
    const made = makePackage()
    const builder = await createDevBuilder(made, made.out)
    onTestFinished(() => builder.dispose())
    const [first, second] = [await builder.build(), await builder.build()]
    expect(second.codeDigest).toBe(first.codeDigest)
  })

  it('names file and line of what is wrong', async () => {
    const made = makePackage()
    made.save('word.ts', 'export const word =\n')
    const builder = await createDevBuilder(made, made.out)
    onTestFinished(() => builder.dispose())
    await expect(builder.build()).rejects.toMatchObject({ code: 'ERR_ENGINE_BUILD', message: expect.stringMatching(/word\.ts:\d+:\d+/) })
  })
})

describe('the loop of development', () => {
  it('swaps what was saved, one at a time, and outlives code that cannot be built and swaps that are refused', async () => {
    const made = makePackage()
    const swapped: string[] = []
    const said: string[] = []
    let swapping = 0
    const loop = new DevLoop({
      builder: await createDevBuilder(made, made.out),
      directories: [join(made.directory, 'src')],
      say: (text) => said.push(text),
      swap: async ({ version }) => {
        swapping += 1
        expect(swapping).toBe(1)
        await new Promise((resolve) => setImmediate(resolve))
        swapping -= 1
        if (version.endsWith('dev.1')) throw new Error('refused: vp2 lacks the engine')
        swapped.push(version)
      },
    })
    onTestFinished(() => loop.stop())
    await loop.start()
    expect(said).toEqual(['refused: vp2 lacks the engine'])
    made.save('word.ts', 'export const word =\n')
    await vi.waitFor(() => expect(said.at(-1)).toContain('word.ts'), { timeout: 20_000 })
    made.save('word.ts', "export const word = 'two'")
    await vi.waitFor(() => expect(said.at(-1)).toMatch(/weft-engine-saved 1\.2\.0-dev\.\d+ runs/), { timeout: 20_000 })
    expect(swapped).toHaveLength(1)
  })

  it('does not swap for a save that changes nothing', async () => {
    const made = makePackage()
    let swaps = 0
    const builder = await createDevBuilder(made, made.out)
    let builds = 0
    const counted = { build: () => ((builds += 1), builder.build()), dispose: () => builder.dispose() }
    const loop = new DevLoop({ builder: counted, directories: [join(made.directory, 'src')], say: () => undefined, swap: async () => void (swaps += 1) })
    onTestFinished(() => loop.stop())
    await loop.start()
    made.save('word.ts', "export const word = 'one' // the same")
    await vi.waitFor(() => expect(builds).toBeGreaterThan(1), { timeout: 20_000 })
    await loop.stop()
    expect(swaps).toBe(1)
  })
})
