import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Level } from 'level'
import { describe, expect, test } from 'vitest'
import { prefixOf, prefixed } from '../../plugins/level/prefix.js'
import { expectHealthy } from './support/health.js'
import { preparePeer, startPeer, temporaryDirectory, TestPeer } from './support/peer.js'
import { freePort } from './support/ports.js'
import type { Ended } from './support/program.js'
import { expectSound } from './support/verify.js'

const LOG_LINE = /^\d\d:\d\d:\d\d\.\d{3} \[/

/** The process gave up with exit code 1 and said why, once, without a stack. Returns what it said. */
function oneMessage({ code, stdout, stderr }: Ended): string {
  const lines = stderr.split('\n').filter((line) => line !== '' && !LOG_LINE.test(line))
  expect({ code, stdout }, stderr).toEqual({ code: 1, stdout: '' })
  expect(lines[0]).toMatch(/^Error: \S/)
  expect(lines.filter((line) => line.startsWith('Error: '))).toHaveLength(1)
  expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+/m)
  return lines.join('\n')
}

/** Another peer in the place of a stopped or running one. */
async function another(peer: TestPeer, change: { address?: string; data?: string; set?: Record<string, string> }): Promise<Ended> {
  const second = new TestPeer(peer.directory, change.address ?? peer.address, '127.0.0.1:0', { data: change.data ?? peer.data, set: change.set ?? {} })
  second.client.close()
  return second.launch().ended
}

describe('a peer does not start, says why, and harms nobody', () => {
  test('on a taken port', async () => {
    const peer = await startPeer()
    const message = oneMessage(await another(peer, { data: temporaryDirectory() }))
    expect(message).toContain(`Failed to listen: listen tcp ${peer.address}: bind: address already in use`)
    expect(message).toContain('peer.listenAddress')
    await expectHealthy(peer)
  })

  test("in another peer's directory", async () => {
    const peer = await startPeer()
    const message = oneMessage(await another(peer, { address: `127.0.0.1:${await freePort()}` }))
    expect(message).toContain(`is used by the peer with process id ${peer.program.pid}`)
    // Nor if the kernel's own lock is lost: the store has one, too.
    rmSync(join(peer.data, 'peer.lock'))
    expect(oneMessage(await another(peer, { address: `127.0.0.1:${await freePort()}` }))).toContain('is in use by another process')
    await expectHealthy(peer)
  })

  test('with a wrong configuration: all errors at once, each with the nearest key or what was expected', async ({ onTestFinished }) => {
    const peer = await preparePeer()
    onTestFinished(() => peer.dispose())
    writeFileSync(
      join(peer.directory, 'peer.config.json'),
      JSON.stringify({ peer: { listenAdress: '127.0.0.1:1', limits: { streams: 'many' } }, chaincode: { mode: 'sideways' }, store: { sync: 'perhaps' } }),
    )
    const message = oneMessage(await peer.launch().ended)
    for (const part of [
      'peer.listenAdress',
      'peer.listenAddress',
      'peer.limits.streams',
      'chaincode.mode',
      'sideways',
      'store.sync',
      'perhaps',
      'peer.config.json',
    ])
      expect(message).toContain(part)
    expect(existsSync(peer.data)).toBe(false)
    const check = await peer.cli('config', 'check')
    expect(check.code).toBe(1)
    expect(check.stderr).toContain('peer.listenAdress')
  })

  test.each([
    ['json', '{ "peer": '],
    ['yaml', 'peer: [1'],
    ['ts', 'export default {{'],
    ['ts', 'throw new Error("broken site")'],
    ['json', '[]'],
  ])('with a peer.config.%s that is %j', async (extension, text) => {
    const peer = await preparePeer()
    writeFileSync(join(peer.directory, `peer.config.${extension}`), text)
    expect(oneMessage(await peer.launch().ended)).toContain(`peer.config.${extension}`)
    await peer.dispose()
  })

  test('in a directory that is a file', async () => {
    const peer = await preparePeer()
    writeFileSync(peer.data, '')
    expect(oneMessage(await peer.launch().ended)).toContain('peer.fileSystemPath')
    await peer.dispose()
  })
})

describe('a store that is not as it was left', () => {
  /** A peer that has run and stopped in order. */
  async function stopped(): Promise<TestPeer> {
    const peer = await startPeer()
    await expectHealthy(peer)
    expect((await peer.stop()).code).toBe(0)
    return peer
  }
  const files = (peer: TestPeer, wanted: RegExp) =>
    readdirSync(join(peer.data, 'db'))
      .filter((file) => wanted.test(file))
      .map((file) => join(peer.data, 'db', file))

  test.each([
    ['its CURRENT is garbage', (peer: TestPeer) => writeFileSync(join(peer.data, 'db', 'CURRENT'), 'garbage')],
    ['its CURRENT is gone', (peer: TestPeer) => rmSync(join(peer.data, 'db', 'CURRENT'))],
    ['its manifest is garbage', (peer: TestPeer) => files(peer, /^MANIFEST/).forEach((file) => writeFileSync(file, Buffer.alloc(1000, 0x5a)))],
    ['its manifest is gone', (peer: TestPeer) => files(peer, /^MANIFEST/).forEach((file) => rmSync(file))],
    ['it is a file', (peer: TestPeer) => (rmSync(join(peer.data, 'db'), { recursive: true }), writeFileSync(join(peer.data, 'db'), ''))],
  ])('is refused, and kept as it is: %s', async (_, damage) => {
    const peer = await stopped()
    damage(peer)
    const tables = existsSync(join(peer.data, 'db', 'LOCK')) ? files(peer, /\.(ldb|log)$/) : []
    const message = oneMessage(await peer.launch().ended)
    expect(message).toMatch(/store/)
    expect(tables.filter((file) => !existsSync(file))).toEqual([])
  })

  test('is refused if a newer version wrote it', async () => {
    const peer = await stopped()
    const db = new Level<Uint8Array, Uint8Array>(join(peer.data, 'db'), { keyEncoding: 'view', valueEncoding: 'view' })
    await db.put(prefixed(prefixOf(0), Buffer.from('format')), Buffer.from(JSON.stringify({ format: 99, writtenBy: 'weft 9.9.9' })))
    await db.close()
    const message = oneMessage(await peer.launch().ended)
    expect(message).toContain('found format 99, written by weft 9.9.9')
  })

  test('is refused with other settings of the world state, which would give other hashes', async () => {
    const peer = await stopped()
    const message = oneMessage(await another(peer, { set: { 'ledger.state.dataStructure.configs.numBuckets': '101' } }))
    expect(message).toContain('numBuckets')
  })

  test('is served when only old locks and pid files are left in it', async () => {
    const peer = await stopped()
    writeFileSync(join(peer.data, 'peer.pid'), '1')
    writeFileSync(join(peer.data, 'peer.lock'), '1 other/1 x')
    await peer.start()
    await expectHealthy(peer)
    expect(readFileSync(join(peer.data, 'peer.pid'), 'utf8')).toBe(String(peer.program.pid))
    expect(await expectSound(peer)).toBeGreaterThan(2n)
  })

  test('a directory that is not there yet is made', async () => {
    const directory = join(temporaryDirectory(), 'a', 'b')
    const peer = await startPeer({ data: directory })
    await expectHealthy(peer)
    mkdirSync(join(directory, 'other'))
    expect((await peer.stop()).code).toBe(0)
  })
})
