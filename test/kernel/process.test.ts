import { buildSync } from 'esbuild'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { lockDirectory } from '../../kernel/lock.js'
import { temporaryDirectory, testPeer } from './sites.js'

// Inside the project, so that its packages are found from there.
const script = join(import.meta.dirname, '../../node_modules/.cache/weft-test', `run-peer-${process.pid}.mjs`)

beforeAll(() => {
  buildSync({ entryPoints: [join(import.meta.dirname, 'run-peer.ts')], bundle: true, packages: 'external', platform: 'node', format: 'esm', outfile: script })
})

/** A peer process that has printed `ready`, or has ended. */
async function launch(directory: string, mode = '') {
  const child = spawn(process.execPath, [script, directory, mode])
  let output = ''
  const ended = new Promise<{ code: number | null; output: string }>((resolve) => child.on('close', (code) => resolve({ code, output })))
  const ready = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
        if (output.includes('ready\n')) resolve()
      })
    }
  })
  await Promise.race([ready, ended])
  return {
    child,
    ended,
    seen: async (text: string) => {
      while (!output.includes(text)) await new Promise((resolve) => child.stdout.once('data', resolve))
    },
  }
}

describe('the data directory', () => {
  test('belongs to one live peer: the second one names the first', async () => {
    const directory = temporaryDirectory()
    const { child, ended } = await launch(directory)
    await expect(testPeer([], { 'peer.fileSystemPath': directory }).peer.start()).rejects.toThrow(
      `the directory ${directory} is used by the peer with process id ${child.pid}; stop it or set peer.fileSystemPath`,
    )
    child.kill('SIGTERM')
    expect((await ended).code).toBe(0)
    expect(existsSync(join(directory, 'peer.lock'))).toBe(false)
  })

  test('is free again after kill -9', async () => {
    const directory = temporaryDirectory()
    const { child, ended } = await launch(directory)
    child.kill('SIGKILL')
    await ended
    expect(existsSync(join(directory, 'peer.lock'))).toBe(true)
    const { peer } = testPeer([], { 'peer.fileSystemPath': directory })
    await peer.start()
    expect(readFileSync(join(directory, 'peer.pid'), 'utf8')).toBe(String(process.pid))
    await peer.stop()
  })

  test('is not locked by another process that got the same id later, nor by garbage', () => {
    const directory = temporaryDirectory()
    for (const stale of [`${process.pid} other-boot/1 x`, '', 'garbage', '999999999 x y']) {
      writeFileSync(join(directory, 'peer.lock'), stale)
      lockDirectory(directory).release()
    }
    expect(existsSync(join(directory, 'peer.lock'))).toBe(false)
  })

  test('that cannot be used is an error naming it and the key', async () => {
    const file = join(temporaryDirectory(), 'file')
    writeFileSync(file, '')
    await expect(testPeer([], { 'peer.fileSystemPath': join(file, 'data') }).peer.start()).rejects.toMatchObject({
      code: 'ERR_PEER_DIRECTORY',
      hint: expect.stringContaining('peer.fileSystemPath'),
    })
  })

  test('is locked against a second peer of the same process, and a stranger cannot release it', () => {
    const directory = temporaryDirectory()
    const lock = lockDirectory(directory)
    expect(() => lockDirectory(directory)).toThrow(`process id ${process.pid}`)
    lock.release()
    const next = lockDirectory(directory)
    lock.release()
    expect(existsSync(join(directory, 'peer.lock'))).toBe(true)
    next.release()
  })
})

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
