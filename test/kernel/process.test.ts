import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { buildProgram, launch } from './launch.js'
import { temporaryDirectory } from './sites.js'

beforeAll(buildProgram)

describe('signals', () => {
  test.each([
    ['SIGINT', 'interrupt'],
    ['SIGTERM', 'terminated'],
  ] as const)('%s prints an empty line and its name, and exits with 0', async (signal, name) => {
    const directory = temporaryDirectory()
    const { child, ended } = await launch(directory)
    child.kill(signal)
    const { code, output } = await ended
    expect(code).toBe(0)
    expect(output).toContain(`\n\n${name}\n`)
    expect(existsSync(join(directory, 'peer.pid'))).toBe(false)
  })

  test('a second signal ends the process at once', async () => {
    const { child, ended, seen } = await launch(temporaryDirectory(), 'stuck')
    child.kill('SIGTERM')
    await seen('terminated')
    child.kill('SIGINT')
    expect((await ended).code).toBe(130)
  })

  test('what nobody caught is logged as critical and stops the peer with exit code 1', async () => {
    const { ended } = await launch(temporaryDirectory(), 'throwing')
    const { code, output } = await ended
    expect(output).toMatch(/-> CRIT .*unhandledRejection: Error: nobody caught me/)
    expect(code).toBe(1)
  })
})
