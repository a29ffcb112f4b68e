import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestPeer, preparePeer, until } from './support/peer.js'
import { Program } from './support/program.js'

/** `peer events listen`. */
let peer: TestPeer
beforeAll(async () => {
  peer = await preparePeer()
  await peer.start()
})
afterAll(() => peer.dispose())

const listen = (...args: string[]) => new Program(['events', 'listen', ...args], peer.options)
const move = () => peer.client.invokeAndWait('example02', 'invoke', 'a', 'b', '1')
const lines = ({ stdout }: { readonly stdout: string }) => stdout.split('\n').filter((line) => line !== '')
const idsIn = (program: { readonly stdout: string }): string[] =>
  lines(program).map((line) => {
    const parsed: { id: string } = JSON.parse(line)
    return parsed.id
  })

test('prints past blocks, readable and as JSON, and ends after --count', async () => {
  await move()
  const readable = await listen('--from', '0', '--count', '2').ended
  expect(readable).toMatchObject({ code: 0, stderr: '' })
  expect(lines(readable)).toEqual([
    expect.stringMatching(/^0 block \S+Z 0 transactions$/),
    expect.stringMatching(/^1 block \S+Z 1 transactions: [-0-9a-f]{36}$/),
  ])
  const json = await listen('--from', '0', '--count', '2', '--json').ended
  expect(JSON.parse(lines(json)[1] ?? '')).toMatchObject({ id: '1', type: 'block', block: 1, data: { transactions: [{ type: 2 }] } })
})

test('what cannot be listened to is refused with exit code 1', async () => {
  expect(await listen('--from', '1000000').ended).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^Error: expected a block up to \d+, which comes next, found 1000000\n$/),
  })
  expect(await listen('--from', 'x').ended).toMatchObject({ code: 1, stderr: expect.stringContaining('--from: expected a block number') })
  expect(await listen('--event', 'paid').ended).toMatchObject({ code: 1, stderr: expect.stringContaining('chaincode events need --chaincode NAME') })
  expect(await listen('--address', '127.0.0.1:1').ended).toMatchObject({ code: 1, stderr: expect.stringContaining('(peer.validator.events.address)') })
})

test('with --retry it goes on after a restart of the peer without gap or repeat; the cursor follows', { timeout: 240_000 }, async () => {
  const cursor = join(peer.directory, 'cursor')
  const listener = listen('--from', '0', '--json', '--retry', '--cursor', cursor, '--types', 'block,rejection')
  for (let round = 0; round < 3; round++) {
    await Promise.all(Array.from({ length: 5 }, move))
    await peer.killHard()
    await peer.start()
  }
  await peer.client.invokeAndWait('example02', 'invoke', 'a')
  const { height } = await peer.client.info()
  const last = `${height - 1n}`
  await listener.until('the last block', () => lines(listener).at(-1)?.startsWith(`{"id":"${last}"`) === true)
  expect(idsIn(listener)).toEqual([...Array.from({ length: Number(height) - 1 }, (_, number) => String(number)), `${last}.r0`, last])
  await until('the cursor', () => readFileSync(cursor, 'utf8') === `${last}\n`)
  listener.signal('SIGKILL')
  await listener.ended
  const coming = listen('--json', '--cursor', cursor, '--count', '1').ended
  await move()
  expect(idsIn(await coming)).toEqual([String(height)])
})

test('killed at any moment and started again after the last id that its reader has, it shows every block once', { timeout: 240_000 }, async () => {
  const seen: string[] = []
  for (let life = 0; life < 6; life++) {
    const [last] = seen.slice(-1)
    const listener = listen('--json', ...(last === undefined ? ['--from', '0'] : ['--after', last]))
    await Promise.all(Array.from({ length: 5 }, move))
    await listener.until('something', () => listener.stdout.includes('\n'))
    listener.signal('SIGKILL')
    const { stdout } = await listener.ended
    // A line that was cut off was not seen.
    seen.push(...idsIn({ stdout: stdout.slice(0, stdout.lastIndexOf('\n') + 1) }))
  }
  expect(seen).toEqual(seen.map((_, number) => String(number)))
  expect(seen.length).toBeGreaterThan(6)
})
