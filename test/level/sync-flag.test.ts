import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openLevelStore } from '../../plugins/level/index.js'
import { put, temporaryDirectory } from './backends.js'
import { buildChildProgram } from './child.js'

/** The native functions of LevelDB: below them there is no JavaScript. */
const binding: { batch_write(batch: unknown, options: { sync?: boolean }): Promise<void> } = createRequire(import.meta.url)('classic-level/binding.js')

const canTrace = spawnSync('strace', ['-e', 'trace=fdatasync', 'true']).status === 0

describe('the sync flag of a commit', () => {
  let directory: string
  beforeEach(() => {
    directory = temporaryDirectory()
  })
  afterEach(() => {
    vi.restoreAllMocks()
    rmSync(directory, { recursive: true })
  })

  it.each([
    { sync: 'all', flags: [true, true] },
    { sync: 'blocks', flags: [true, false] },
    { sync: 'off', flags: [false, false] },
  ] as const)('reaches the native write of LevelDB under store.sync $sync', async ({ sync, flags }) => {
    const written = vi.spyOn(binding, 'batch_write')
    const store = await openLevelStore(directory, { sync })
    written.mockClear() // the format record, always synced
    await put(store, 'a', { k: '1' }, 'block')
    await put(store, 'a', { k: '2' }, 'record')
    await store.close()
    expect(written.mock.calls.map(([, options]) => options.sync)).toEqual(flags)
  })

  it.runIf(canTrace)('makes the process wait for the disk once a commit', async () => {
    const program = await buildChildProgram()
    const trace = join(directory, 'trace')
    const syncs = (commits: number): number => {
      const db = join(directory, `db-${commits}`)
      const run = spawnSync('strace', ['-f', '-o', trace, '-e', 'trace=fdatasync,fsync', process.execPath, program.file, db, 'count', String(commits)])
      expect(run.status).toBe(0)
      return readFileSync(trace, 'utf8')
        .split('\n')
        .filter((line) => /\bf(data)?sync\(\d/.test(line)).length
    }
    expect(syncs(30) - syncs(10)).toBe(20)
    program.remove()
  })
})
