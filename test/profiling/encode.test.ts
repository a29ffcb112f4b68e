import { execFileSync } from 'node:child_process'
import { Session } from 'node:inspector/promises'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeCpuProfile } from '../../plugins/profiling/cpu-profile.js'
import { HeapSampler, SAMPLING_BYTES, objectBytes } from '../../plugins/profiling/heap-profile.js'
import { SourceNames } from '../../plugins/profiling/source-names.js'
import { decodeProfile } from './decode.js'

const frame = (functionName: string, url = '') => ({ functionName, scriptId: '1', url, lineNumber: 4, columnNumber: 0 })

describe('a CPU profile', () => {
  test('has the values of Go: samples and nanoseconds; a sample counts until the next one', async () => {
    const profile = {
      nodes: [
        { id: 1, callFrame: frame('(root)'), children: [2, 4] },
        { id: 2, callFrame: frame('outer', 'file:///x/a.js'), children: [3] },
        { id: 3, callFrame: frame('inner', 'file:///x/a.js') },
        { id: 4, callFrame: frame('(idle)') },
      ],
      startTime: 1000,
      endTime: 10_000,
      samples: [3, 3, 4, 2],
      timeDeltas: [0, 1000, 2000, 3000],
    }
    const found = decodeProfile(await encodeCpuProfile(profile, new SourceNames('/x'), 0))
    expect(found).toMatchObject({ kinds: ['samples/count', 'cpu/nanoseconds'], periodKind: 'cpu/nanoseconds', period: 1_000_000, durationNanos: 9_000_000 })
    expect(found.samples).toEqual([
      { stack: ['a.inner', 'a.outer'], values: [2, 3_000_000] },
      { stack: ['a.outer'], values: [1, 3_000_000] },
    ])
  })
})

describe('a heap profile', () => {
  test('gives the size of every small object back from the weight that V8 gives it', () => {
    const weightOf = (bytes: number): number => bytes * Math.floor(1 / (1 - Math.exp(-bytes / SAMPLING_BYTES)) + 0.5)
    const sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 18, 20, 21, 22, 24].map((words) => words * 8)
    expect(sizes.map((bytes) => objectBytes(weightOf(bytes)))).toEqual(sizes)
  })

  test('never counts a sample as less than one object, whatever its weight', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000_000 }), (weight) => objectBytes(weight) >= 1 && objectBytes(weight) <= weight),
      { numRuns: 50 },
    )
  })

  test('holds what lives, with objects and bytes', async () => {
    const sampler = new HeapSampler()
    await sampler.start()
    const kept: object[] = []
    function weave(): void {
      for (let n = 0; n < 300_000; n++) kept.push({ n, warp: n, weft: n })
    }
    weave()
    const { kinds, period, samples } = decodeProfile(await sampler.profile(new SourceNames(), true))
    sampler.stop()
    expect({ kinds, period }).toEqual({ kinds: ['inuse_objects/count', 'inuse_space/bytes'], period: SAMPLING_BYTES })
    const own = samples.filter(({ stack }) => stack.some((name) => name.endsWith('.weave')))
    const [objects = 0, bytes = 0] = [0, 1].map((kind) => own.reduce((sum, { values }) => sum + (values[kind] ?? 0), 0))
    expect(kept).toHaveLength(300_000)
    // 48 bytes each, and the array: an estimate from about thirty samples.
    expect(objects).toBeGreaterThan(75_000)
    expect(objects).toBeLessThan(1_200_000)
    expect(bytes).toBeGreaterThan(5_000_000)
  })
})

describe('functions', () => {
  test('of a bundle are named as in their source, without the numbers of the bundler', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'weft-names-'))
    for (const file of ['a', 'b'])
      writeFileSync(
        join(directory, `${file}.ts`),
        `export function spin(until: number): number {\n  let turns = 0\n  while (Date.now() < until) turns++\n  return turns\n}\n`,
      )
    writeFileSync(
      join(directory, 'main.ts'),
      "import { spin } from './a'\nimport { spin as other } from './b'\nexport const run = () => spin(Date.now() + 150) + other(Date.now() + 150)\n",
    )
    execFileSync('node_modules/.bin/esbuild', [
      join(directory, 'main.ts'),
      '--bundle',
      '--format=esm',
      '--sourcemap',
      `--outfile=${directory}/node_modules/loom/main.mjs`,
      '--log-level=error',
    ])
    const bundle: { run(): number } = await import(pathToFileURL(join(directory, 'node_modules/loom/main.mjs')).href)
    const session = new Session()
    session.connect()
    await session.post('Profiler.enable')
    await session.post('Profiler.start')
    bundle.run()
    const { profile } = await session.post('Profiler.stop')
    session.disconnect()
    const { functions } = decodeProfile(await encodeCpuProfile(profile, new SourceNames(directory), 0))
    expect(functions).toEqual(
      expect.arrayContaining([
        { name: 'a.spin', file: 'a.ts', line: 1 },
        { name: 'b.spin', file: 'b.ts', line: 1 },
      ]),
    )
  })

  test('without a file keep the name that V8 gives them', () => {
    expect(new SourceNames().describe({ functionName: '(garbage collector)', url: '', lineNumber: -1, columnNumber: -1 }).name).toBe('(garbage collector)')
    expect(new SourceNames().describe({ functionName: 'emit', url: 'node:events', lineNumber: 9, columnNumber: 1 })).toMatchObject({
      name: 'node:events.emit',
      line: 10,
    })
  })
})
