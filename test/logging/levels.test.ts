import { Client, credentials } from '@grpc/grpc-js'
import { mkdtempSync, readFileSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Peer, definePlugin } from '../../kernel/index.js'
import logging, { controlOf, createLogging } from '../../plugins/logging/index.js'
import { createLogFile } from '../../plugins/logging/log-file.js'
import { LogLevelsService, callUnary } from '../../proto/index.js'
import { grpcPeer } from '../grpc/grpc-peer.js'

const lines: string[] = []
const make = (spec: string) => {
  const made = createLogging({ spec, stream: { write: (line: string) => lines.push(line) } })
  for (const name of ['ledger', 'pbft', 'rest']) made.logger(name)
  return made
}
const levelsOf = ({ levels }: ReturnType<typeof make>) => Object.fromEntries(levels.components().map(({ component, level }) => [component, level]))

describe('levels of a running process', () => {
  test('change for the components that are named, and for those alone', () => {
    const made = make('info:rest=error')
    made.levels.change('ledger=debug:pbft=WARNING')
    expect(levelsOf(made)).toEqual({ ledger: 'debug', pbft: 'warning', rest: 'error' })
    expect(made.logger('ledger').in('x').isEnabled('debug')).toBe(true)
  })

  test('are all replaced by a spec with a level that stands alone', () => {
    const made = make('info:rest=error')
    made.levels.change('warning:pbft=debug')
    expect(levelsOf(made)).toEqual({ ledger: 'warning', pbft: 'debug', rest: 'warning' })
  })

  test('go back to the configuration, one or all', () => {
    const made = make('info:rest=error')
    made.levels.change('debug')
    made.levels.reset(['rest', 'pbft'])
    expect(levelsOf(made)).toEqual({ ledger: 'debug', pbft: 'debug', rest: 'error' })
    made.levels.reset([])
    expect(levelsOf(made)).toEqual({ ledger: 'info', pbft: 'info', rest: 'error' })
  })

  test.each(['loud', 'ledger=loud', 'legder=debug', '=debug', '', 'x'.repeat(5000), 'ledger=debug:__proto__=info'])(
    'stay as they are when %j makes no sense',
    (spec) => {
      const made = make('info')
      expect(() => made.levels.change(spec)).toThrow(/invalid logging level|no component is named/)
      expect(levelsOf(made)).toEqual({ ledger: 'info', pbft: 'info', rest: 'info' })
    },
  )

  test('a wrong name is answered with the one that was meant', () => {
    expect(() => make('info').levels.change('leger=debug')).toThrow("no component is named 'leger', did you mean ledger?; there are: ledger, pbft, rest")
  })

  test('are reached from any logger', () => {
    const made = make('info')
    expect(controlOf(made.logger('pbft').in('x'))?.levels).toBe(made.levels)
  })
})

async function peerWith(values: Record<string, unknown> = {}) {
  const { peer, lines } = grpcPeer([logging, definePlugin({ name: 'loom', apply: () => undefined })], values)
  await peer.start()
  const client = new Client(peer.listenerAddress(), credentials.createInsecure())
  onTestFinished(async () => {
    client.close()
    await (peer satisfies Peer).stop()
  })
  return { client, lines }
}

describe('weft.LogLevels', () => {
  test('shows, sets and resets the levels of the peer, and the log says so', async () => {
    const { client, lines } = await peerWith()
    const before = await callUnary(client, LogLevelsService.get, { components: ['loom'] })
    expect(before.components).toMatchObject([{ component: 'loom', isOwn: false }])
    const { components } = await callUnary(client, LogLevelsService.set, { spec: 'loom=critical' })
    expect(components).toContainEqual(expect.objectContaining({ component: 'loom', level: 'critical', isOwn: true }))
    expect(lines.join('')).toContain('log levels changed: loom=critical')
    expect((await callUnary(client, LogLevelsService.reset, { components: ['loom'] })).components).toContainEqual(
      expect.objectContaining({ component: 'loom', isOwn: false }),
    )
  })

  test('refuses what makes no sense as an invalid argument', async () => {
    const { client } = await peerWith()
    await expect(callUnary(client, LogLevelsService.set, { spec: 'loom=loud' })).rejects.toMatchObject({
      code: 3,
      details: expect.stringContaining("found 'loud'"),
    })
    await expect(callUnary(client, LogLevelsService.get, { components: ['x'] })).rejects.toMatchObject({ code: 3 })
  })

  test('changes nothing where logging.allowChange is false', async () => {
    const { client } = await peerWith({ 'logging.allowChange': false })
    await expect(callUnary(client, LogLevelsService.set, { spec: 'debug' })).rejects.toMatchObject({ code: 7 })
    await expect(callUnary(client, LogLevelsService.reset, { components: [] })).rejects.toMatchObject({ code: 7 })
    expect((await callUnary(client, LogLevelsService.get, { components: [] })).components.length).toBeGreaterThan(1)
  })
})

test('a log file that was moved away is opened anew', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'weft-log-')), 'peer.log')
  const log = createLogFile(file)
  log.write('one\n')
  renameSync(file, `${file}.1`)
  log.write('two\n')
  expect(log.reopen?.()).toBe(true)
  log.write('three\n')
  expect([readFileSync(`${file}.1`, 'utf8'), readFileSync(file, 'utf8')]).toEqual(['one\ntwo\n', 'three\n'])
})

test('a log file that cannot be opened is an error that names the key', () => {
  expect(() => createLogFile('/proc/none/peer.log')).toThrow(/^logging.file: cannot open \/proc\/none\/peer.log: ENOENT/)
})

test('a peer without a log file lives through SIGHUP, and says that there was nothing to do', async () => {
  const before = process.listenerCount('SIGHUP')
  const { lines } = await peerWith()
  expect(process.listenerCount('SIGHUP')).toBe(before + 1)
  process.emit('SIGHUP')
  expect(lines.join('\n')).toContain('SIGHUP: there is no log file to be opened anew (logging.file)')
})
