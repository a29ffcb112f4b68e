import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Peer } from '../../kernel/index.js'
import admin from '../../plugins/admin/index.js'
import grpc from '../../plugins/grpc/index.js'
import { runPeer } from '../kernel/cli/run-peer.js'
import { temporaryDirectory, testPeer } from '../kernel/sites.js'

/** Ends 300 ms after it was told to, and leaves a note. */
const SLOW = `
const end = () => { require('node:fs').writeFileSync(process.argv[1], ''); process.exit(0) }
process.on('SIGTERM', () => setTimeout(end, 300))
setInterval(() => undefined, 1000)
console.log('ready')`

async function startPeer(values: Readonly<Record<string, unknown>> = {}): Promise<{ peer: Peer; address: string }> {
  const { peer } = testPeer([grpc, admin], values)
  await peer.start()
  onTestFinished(() => peer.stop())
  return { peer, address: peer.listenerAddress() }
}

const stop = (address: string, ...more: readonly string[]) => runPeer(temporaryDirectory(), ['node', 'stop', '--set', `peer.address=${address}`, ...more])

test('node stop returns when the peer has stopped, so that another can start', async () => {
  const { peer, address } = await startPeer()
  expect(await stop(address)).toEqual({ exit: 0, stdout: 'status:STOPPED \n', stderr: '' })
  await startPeer({ 'peer.listenAddress': address })
  expect((await peer.finished).why).toBe('Admin.StopServer')
})

test('node stop by the pid file returns when the process has ended', async () => {
  const directory = temporaryDirectory()
  const note = join(directory, 'ended')
  const child = spawn(process.execPath, ['-e', SLOW, note], { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(child, 'exit')
  await once(child.stdout, 'data')
  writeFileSync(join(directory, 'peer.pid'), String(child.pid))
  const printed = await stop('127.0.0.1:1', '--stop-peer-pid-file', directory, '--json')
  expect(JSON.parse(printed.stdout)).toEqual({ status: 'STOPPED', pid: child.pid })
  expect(printed.stderr).toContain('connection refused: is a peer running at 127.0.0.1:1 (peer.address)?')
  expect(existsSync(note)).toBe(true)
  await ended
})

test('node stop says in the words of gRPC that it is not allowed', async () => {
  const { address } = await startPeer({ 'admin.allowStop': false })
  const { exit, stderr } = await stop(address)
  expect(exit).toBe(1)
  expect(stderr).toMatch(
    /^Error: Error trying to stop local peer: rpc error: code = 7 desc = stopping this peer over the network is switched off \(admin.allowStop\)\n/,
  )
})

test('node status gives the text of v0.6 and below it what really happened', async () => {
  const { exit, stdout, stderr } = await runPeer(temporaryDirectory(), ['node', 'status', '--set', 'peer.address=127.0.0.1:1'])
  expect([exit, stdout]).toEqual([0, 'status:UNKNOWN \n'])
  expect(stderr).toBe(
    'Error trying to connect to local peer: grpc: timed out when dialing\n  connection refused: is a peer running at 127.0.0.1:1 (peer.address)?\n',
  )
})

test('chaincode commands keep the hint of a failed dial', async () => {
  const printed = await runPeer(temporaryDirectory(), ['chaincode', 'query', '-n', 'cc', '-c', '{"Args":["a"]}', '--json', '--set', 'peer.address=127.0.0.1:1'])
  expect(JSON.parse(printed.stderr)).toMatchObject({
    error: {
      code: 'ERR_DIAL_FAILED',
      message: 'Error building chaincode: Error trying to connect to local peer: grpc: timed out when dialing',
      hint: 'connection refused: is a peer running at 127.0.0.1:1 (peer.address)?',
    },
  })
})
