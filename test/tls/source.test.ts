import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Clock, systemClock } from '../../kernel/index.js'
import { type TlsSettings, createTlsSource } from '../../plugins/tls/index.js'
import { tlsSettings } from '../grpc/grpc-peer.js'
import { temporaryDirectory } from '../kernel/sites.js'
import { keepingLog } from '../chaincode/node/quiet-log.js'
import { TestAuthority, daysFrom, writePair } from './certificates.js'

let authority: TestAuthority
beforeAll(async () => {
  authority = await TestAuthority.make()
})

const settingsOf = (directory: string, more: Record<string, unknown> = {}): TlsSettings =>
  tlsSettings({ 'peer.tls.enabled': true, 'peer.tls.cert.file': join(directory, 'tls.pem'), 'peer.tls.key.file': join(directory, 'tls.key'), ...more })

/** A source whose timer fires when `tick` is called, at a wall clock of one's own. */
function sourceOf(settings: TlsSettings, nowMs = Date.now()) {
  const log = keepingLog()
  let look: () => void = () => undefined
  let wallMs = nowMs
  const clock: Clock = {
    ...systemClock,
    now: () => ({ seconds: BigInt(Math.floor(wallMs / 1000)), nanos: 0 }),
    setTimer(_delayMs, task) {
      look = task
      return () => undefined
    },
  }
  const source = createTlsSource({ settings, log, clock })
  onTestFinished(() => source.close())
  return {
    source,
    log,
    serial: () => source.current()?.server.certificates[0].serialNumber,
    /** Lets the timer fire and waits until it is set again. */
    tick: async (advanceMs = 10_000): Promise<void> => {
      wallMs += advanceMs
      const before = look
      before()
      await expect.poll(() => look, { interval: 5 }).not.toBe(before)
    },
  }
}

const fresh = async (directory = temporaryDirectory()): Promise<string> => {
  writePair(directory, await authority.issuePem('server'))
  return directory
}

describe('the TLS files of a running peer', () => {
  test('are taken anew when their bytes change, and listeners are told once', async () => {
    const directory = await fresh()
    const { source, serial, tick } = sourceOf(settingsOf(directory))
    const told: string[] = []
    source.onChange(({ server }) => told.push(server.certificates[0].serialNumber))
    const first = serial()
    await tick()
    expect({ serial: serial(), told }).toEqual({ serial: first, told: [] })
    await fresh(directory)
    await tick()
    expect(serial()).not.toBe(first)
    await tick()
    expect(told).toEqual([serial()])
  })

  test('may be replaced by renaming', async () => {
    const directory = await fresh()
    const { serial, tick } = sourceOf(settingsOf(directory))
    const first = serial()
    const other = await fresh()
    for (const name of ['tls.pem', 'tls.key']) renameSync(join(other, name), join(directory, name))
    await tick()
    expect(serial()).not.toBe(first)
  })

  test('may be replaced by swapping a link to their directory, as mounted secrets are', async () => {
    const mount = temporaryDirectory()
    symlinkSync(await fresh(), join(mount, '..data'))
    for (const name of ['tls.pem', 'tls.key']) symlinkSync(join('..data', name), join(mount, name))
    const { serial, tick } = sourceOf(settingsOf(mount))
    const first = serial()
    symlinkSync(await fresh(), join(mount, '..new'))
    renameSync(join(mount, '..new'), join(mount, '..data'))
    await tick()
    expect(serial()).not.toBe(first)
  })

  test('that are half replaced are left alone, without a word, until they are whole', async () => {
    const directory = await fresh()
    const { serial, tick, log } = sourceOf(settingsOf(directory))
    const first = serial()
    const next = await authority.issuePem('server')
    writeFileSync(join(directory, 'tls.pem'), next.certificate)
    await tick()
    expect({ serial: serial(), errors: log.lines.filter((line) => line.includes('not used')) }).toEqual({ serial: first, errors: [] })
    writeFileSync(join(directory, 'tls.key'), next.key)
    await tick()
    expect(serial()).not.toBe(first)
  })

  test.each([
    ['junk', async (directory: string) => writeFileSync(join(directory, 'tls.pem'), 'junk'), 'peer.tls.cert.file: expected a PEM certificate'],
    [
      'another key',
      async (directory: string) => writeFileSync(join(directory, 'tls.key'), (await authority.issuePem('server')).key),
      'does not belong to the certificate',
    ],
    ['nothing', async (directory: string) => rmSync(join(directory, 'tls.key')), 'peer.tls.key.file: cannot read'],
    [
      'an expired certificate',
      async (directory: string) => void writePair(directory, await authority.issuePem('server', 'localhost', { days: 1, now: Date.now() - 3 * 86_400_000 })),
      'expired on',
    ],
  ])('that became %s stay out: the old ones are used, one error says why', async (_what, spoil, why) => {
    const directory = await fresh()
    const { serial, tick, log } = sourceOf(settingsOf(directory))
    const first = serial()
    await spoil(directory)
    for (let looks = 0; looks < 4; looks++) await tick()
    expect(serial()).toBe(first)
    const errors = log.lines.filter((line) => line.startsWith('error'))
    expect(errors).toHaveLength(1)
    expect(errors[0]).toContain('the new TLS files are not used, the old ones stay')
    expect(errors[0]).toContain(why)
    await fresh(directory)
    await tick()
    expect(serial()).not.toBe(first)
  })

  test('are looked at on SIGHUP, and when asked, which says at once what is wrong', async () => {
    const directory = await fresh()
    const { source, serial } = sourceOf(settingsOf(directory))
    const first = serial()
    await fresh(directory)
    process.emit('SIGHUP')
    await expect.poll(serial).not.toBe(first)
    writeFileSync(join(directory, 'tls.key'), '')
    expect(await source.reload()).toContain('found an empty file')
    await fresh(directory)
    expect(await source.reload()).toBeUndefined()
  })

  test('leave nothing behind when the peer stops', async () => {
    const before = process.listenerCount('SIGHUP')
    const { source } = sourceOf(settingsOf(await fresh()))
    expect(process.listenerCount('SIGHUP')).toBe(before + 1)
    source.close()
    expect(process.listenerCount('SIGHUP')).toBe(before)
  })
})

describe('the end of a certificate', () => {
  const start = Date.now()

  test('is warned of once a day, and is an error when it is there', async () => {
    const { log, tick } = sourceOf(settingsOf(await fresh()), start)
    const said = (): string[] => log.lines.filter((line) => /^(warning|error)/.test(line))
    expect(said()).toEqual([])
    await tick(daysFrom(0, 71))
    await tick()
    await tick()
    expect(said()).toHaveLength(1)
    expect(said()[0]).toMatch(/^warning the certificate of localhost in .*tls.pem \(peer.tls.cert.file\) expires in 2[89] days/)
    await tick(daysFrom(0, 1))
    expect(said()).toHaveLength(2)
    await tick(daysFrom(0, 40))
    expect(said()[2]).toMatch(/^error .* expired on .*: clients refuse it; put a new one into /)
  })

  test('that has come already, or whose beginning has not, is an error at the start, and no reason not to start', async () => {
    const directory = await fresh()
    expect(sourceOf(settingsOf(directory), daysFrom(start, 200)).log.lines.join()).toContain('expired on')
    expect(sourceOf(settingsOf(directory), daysFrom(start, -10)).log.lines.join()).toContain('is not valid before')
  })
})
