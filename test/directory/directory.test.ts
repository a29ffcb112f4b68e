import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import directory from '../../plugins/directory/index.js'
import level from '../../plugins/level/index.js'
import { lockDirectory } from '../../plugins/directory/lock.js'
import { buildProgram, launch } from '../kernel/launch.js'
import { temporaryDirectory, testPeer } from '../kernel/sites.js'

beforeAll(buildProgram)

describe('the data directory', () => {
  test('belongs to one live peer: the second one names the first', async () => {
    const path = temporaryDirectory()
    const { child, ended } = await launch(path)
    await expect(testPeer([directory], { 'peer.fileSystemPath': path }).peer.start()).rejects.toThrow(
      `the directory ${path} is used by the peer with process id ${child.pid}; stop it or set peer.fileSystemPath`,
    )
    child.kill('SIGTERM')
    expect((await ended).code).toBe(0)
    expect(existsSync(join(path, 'peer.lock'))).toBe(false)
  })

  test('is free again after kill -9', async () => {
    const path = temporaryDirectory()
    const { child, ended } = await launch(path)
    child.kill('SIGKILL')
    await ended
    expect(existsSync(join(path, 'peer.lock'))).toBe(true)
    const { peer } = testPeer([directory], { 'peer.fileSystemPath': path })
    await peer.start()
    expect(readFileSync(join(path, 'peer.pid'), 'utf8')).toBe(String(process.pid))
    await peer.stop()
  })

  test('is not locked by another process that got the same id later, nor by garbage', () => {
    const path = temporaryDirectory()
    for (const stale of [`${process.pid} other-boot/1 x`, '', 'garbage', '999999999 x y']) {
      writeFileSync(join(path, 'peer.lock'), stale)
      lockDirectory(path).release()
    }
    expect(existsSync(join(path, 'peer.lock'))).toBe(false)
  })

  test('is locked against a second peer of the same process, and a stranger cannot release it', () => {
    const path = temporaryDirectory()
    const lock = lockDirectory(path)
    expect(() => lockDirectory(path)).toThrow(`process id ${process.pid}`)
    lock.release()
    const next = lockDirectory(path)
    lock.release()
    expect(existsSync(join(path, 'peer.lock'))).toBe(true)
    next.release()
  })

  test('peer.pid holds the process id while the peer runs', async () => {
    const path = join(temporaryDirectory(), 'deep', 'data')
    const { peer } = testPeer([directory], { 'peer.fileSystemPath': path })
    await peer.start()
    expect(readFileSync(join(path, 'peer.pid'), 'utf8')).toBe(String(process.pid))
    await peer.stop()
    expect(existsSync(join(path, 'peer.pid'))).toBe(false)
  })

  test('a directory that cannot be used is an error naming it and the key', async () => {
    const file = join(temporaryDirectory(), 'file')
    writeFileSync(file, '')
    await expect(testPeer([directory], { 'peer.fileSystemPath': join(file, 'data') }).peer.start()).rejects.toMatchObject({
      cause: { code: 'ERR_PEER_DIRECTORY' },
      hint: expect.stringContaining('peer.fileSystemPath'),
    })
  })

  test('where no directory can be made is an error too, not an endless attempt', () => {
    expect(() => lockDirectory('/proc/weft/data')).toThrow(expect.objectContaining({ code: 'ERR_PEER_DIRECTORY' }))
  })

  test('that nothing takes is one warning at the start, with the plugin to add', async () => {
    for (const [plugins, warnings] of [
      [[level], 1],
      [[level, directory], 0],
    ] as const) {
      const { peer, lines } = testPeer(plugins)
      await peer.start()
      await peer.stop()
      expect(lines.filter((line) => line.includes('add weft/plugins/directory to plugins'))).toHaveLength(warnings)
    }
  })
})
