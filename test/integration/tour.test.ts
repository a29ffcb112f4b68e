import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startPeer, until } from './support/peer.js'
import { ROOT } from './support/program.js'
import { expectSound, ledgerInfo } from './support/verify.js'

const MAP = join(ROOT, 'examples/chaincode/map.ts')

/** Ids of the processes below one. */
function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  return children.flatMap((child) => [child, ...descendants(child)])
}

function isAlive(pid: number): boolean {
  return readdirSync('/proc').includes(String(pid)) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
}

test('deploy, invoke, query, kill -9, restart: everything is there, by the hash', { timeout: 240_000 }, async () => {
  const peer = await startPeer()
  const deployed = await peer.cli('chaincode', 'deploy', '-l', 'node', '-p', MAP, '-c', '{"Args":["init"]}', '--wait')
  expect(deployed, deployed.stderr).toMatchObject({ code: 0 })
  const [, name = ''] = /^Deploy chaincode: ([0-9a-f]{128})\nTransaction \1 is committed in block 1\n$/.exec(deployed.stdout) ?? []
  expect(name).not.toBe('')
  const put = await peer.cli('chaincode', 'invoke', '-n', name, '-c', '{"Args":["put","colour","green"]}', '--wait')
  expect(put.stdout).toMatch(/^Transaction \S+ is committed in block 2\n$/)
  await peer.cli('chaincode', 'invoke', '-n', 'example02', '-c', '{"Args":["invoke","a","b","10"]}', '--wait')
  const get = await peer.cli('chaincode', 'query', '-n', name, '-c', '{"Args":["get","colour"]}')
  expect(get.stdout).toBe('Query Result: green\n')
  const before = await ledgerInfo(peer)
  expect(await expectSound(peer)).toBe(4n)

  const processes = descendants(peer.program.pid)
  expect(processes.length).toBeGreaterThan(0)
  await peer.killHard()
  await until('the chaincode ends with its peer', () => !processes.some(isAlive))

  expect(await expectSound(peer, '--offline')).toBe(4n)
  expect(await ledgerInfo(peer)).toEqual(before)
  await peer.start()
  expect(await ledgerInfo(peer)).toEqual(before)
  expect(await peer.client.query(name, 'get', 'colour')).toBe('green')
  expect(await peer.client.query('example02', 'query', 'b')).toBe('1000010')
  expect((await peer.client.invokeAndWait(name, 'put', 'colour', 'red')).outcome).toMatchObject({ status: 'committed', block: 4n })
  expect(await peer.client.query(name, 'get', 'colour')).toBe('red')
  expect(await expectSound(peer)).toBe(5n)
})
