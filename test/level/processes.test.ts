import { rmSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openLevelStore } from '../../plugins/level/index.js'
import { temporaryDirectory } from './backends.js'
import { type Child, type ChildProgram, buildChildProgram, startChild } from './child.js'

describe('a store on LevelDB and several processes', () => {
  let program: ChildProgram
  let directory: string
  beforeAll(async () => {
    program = await buildChildProgram()
  })
  afterAll(() => program.remove())
  beforeEach(() => {
    directory = temporaryDirectory()
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  const start = (...args: string[]): Child => startChild(process.execPath, [program.file, directory, ...args])

  it('refuses a directory that another process uses, says which one and what to do, and takes it when that process is gone', async () => {
    const holder = start('hold')
    await holder.line((line) => line === 'open')
    await expect(openLevelStore(directory)).rejects.toMatchObject({
      code: 'ERR_STORE_LOCKED',
      message: `the store in ${directory} is in use by another process, or already open in this one`,
      details: { directory },
      hint: expect.stringContaining('peer.fileSystemPath'),
    })
    await holder.kill()
    const store = await openLevelStore(directory)
    await store.close()
  })

  it('refuses a directory that this process has open', async () => {
    const store = await openLevelStore(directory)
    await expect(openLevelStore(directory)).rejects.toMatchObject({ code: 'ERR_STORE_LOCKED' })
    await store.close()
  })

  it('holds a prefix of whole batches with all acknowledged ones after kill -9, again and again', async () => {
    let atLeast = 0
    for (const round of [0, 1, 2]) {
      const writer = start('write')
      await writer.line((line) => Number(line) >= 20 + 40 * round)
      const acknowledged = (await writer.kill()).filter((line) => line !== 'open').map(Number)
      atLeast = Math.max(atLeast, ...acknowledged.map((n) => n + 1))
      const store = await openLevelStore(directory)
      const found: Record<string, number[]> = { a: [], b: [] }
      for await (const [key, value] of store.namespace('log').entries()) {
        const n = Buffer.from(key).readUInt32BE(1)
        expect(Buffer.from(value).equals(Buffer.alloc(300, n & 0xff))).toBe(true)
        found[String.fromCharCode(key[0] ?? 0)]?.push(n)
      }
      await store.close()
      const numbers = found['a'] ?? []
      expect(numbers).toEqual(numbers.map((_, n) => n))
      expect(found['b']).toEqual(numbers)
      expect(numbers.length).toBeGreaterThanOrEqual(atLeast)
    }
  })
})
