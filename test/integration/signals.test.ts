import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { preparePeer } from './support/peer.js'
import { expectHealthy } from './support/health.js'

test('SIGINT and SIGTERM print an empty line and their names, exit with 0, leave no pid file, and the peer starts again after each', {
  timeout: 240_000,
}, async ({ onTestFinished }) => {
  const peer = await preparePeer()
  onTestFinished(() => peer.dispose())
  for (const [signal, word] of [
    ['SIGINT', 'interrupt'],
    ['SIGTERM', 'terminated'],
  ] as const) {
    await peer.start()
    expect(readFileSync(join(peer.data, 'peer.pid'), 'utf8')).toBe(String(peer.program.pid))
    await expectHealthy(peer)
    peer.program.signal(signal)
    const ended = await peer.program.ended
    expect(ended, ended.stderr).toMatchObject({ code: 0, signal: null, stdout: `\n${word}\n` })
    expect(ended.stderr).not.toMatch(/-> (ERRO|CRIT)/)
    expect(existsSync(join(peer.data, 'peer.pid'))).toBe(false)
    expect(existsSync(join(peer.data, 'peer.lock'))).toBe(false)
  }
})

test('what is in flight is finished by a clean stop, and a second signal ends the process at once', { timeout: 240_000 }, async ({ onTestFinished }) => {
  const peer = await preparePeer()
  onTestFinished(() => peer.dispose())
  await peer.start()
  const waiting = Array.from({ length: 20 }, () => peer.client.invokeAndWait('example02', 'invoke', 'a', 'b', '1'))
  const settled = Promise.allSettled(waiting)
  await peer.client.invoke('example02', 'invoke', 'c', 'd', '1')
  peer.program.signal('SIGTERM')
  expect((await peer.program.ended).code).toBe(0)
  const committed = (await settled).filter((result) => result.status === 'fulfilled' && result.value.outcome.status === 'committed')
  await peer.start()
  expect(Number(await peer.client.query('example02', 'query', 'b'))).toBeGreaterThanOrEqual(1_000_000 + committed.length)
  await peer.program.until('what was accepted is committed', async () => (await peer.client.query('example02', 'query', 'd')) === '1000001')

  // A client that holds a call open keeps the peer draining, at most a few seconds.
  const stream = peer.client.grpc.makeBidiStreamRequest(
    '/protos.ChaincodeSupport/Register',
    (bytes: Buffer) => bytes,
    (bytes: Buffer) => bytes,
  )
  stream.on('error', () => undefined) // its end is what this test brings about
  stream.write(Buffer.from([0x08, 0x0d]))
  peer.program.signal('SIGTERM')
  await peer.program.until('the first signal is seen', () => peer.program.stdout.includes('terminated'))
  peer.program.signal('SIGINT')
  const ended = await peer.program.ended
  // Or it was quicker: 0, or killed by the signal when nothing of the stopped peer was left to catch it (Node takes its handlers out before it exits).
  const wasQuicker = ended.code === 0 || (ended.signal === 'SIGINT' && ended.stderr.includes('the peer has stopped'))
  expect(ended.code === 130 || wasQuicker, `code ${ended.code}, signal ${ended.signal}: ${ended.stderr}`).toBe(true)
  await peer.start()
  await expectHealthy(peer)
})
