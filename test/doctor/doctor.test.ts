import { once } from 'node:events'
import { chmodSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { type Server, createServer } from 'node:net'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createSite, resolveSettings } from '../../kernel/index.js'
import { loadPackagedSite } from '../../kernel/config/load.js'
import directoryPlugin, { directoryHolder } from '../../plugins/directory/index.js'
import { spaceFinding } from '../../plugins/directory/doctor.js'
import { examineBy, patientOf } from '../../plugins/doctor/check.js'
import { clockFinding } from '../../plugins/doctor/checks/clock.js'
import { limitFindings } from '../../plugins/doctor/checks/limits.js'
import { flagsFinding, nodeFinding } from '../../plugins/doctor/checks/versions.js'
import { hasYoungRoom } from '../../plugins/loader/index.js'
import { findingLines, summary } from '../../plugins/doctor/report.js'
import { listenAddresses } from '../../plugins/grpc/doctor/ports.js'
import { grpcPeer } from '../grpc/grpc-peer.js'
import { runPeer } from '../kernel/cli/run-peer.js'
import { PACKAGED, temporaryDirectory } from '../kernel/sites.js'
import { TestAuthority } from '../tls/certificates.js'

interface Finding {
  readonly level: string
  readonly found: string
  readonly todo?: string
}

let directory: string
beforeEach(() => {
  directory = temporaryDirectory()
})

/** Runs one check on the default site with these values; its exit code and findings. */
async function doctor(check: string, values: Readonly<Record<string, string>> = {}) {
  const free = '127.0.0.1:0'
  const ports = { 'peer.listenAddress': free, 'rest.address': free, 'peer.validator.events.address': free }
  const all = { 'peer.fileSystemPath': join(directory, 'data'), ...ports, ...values }
  const sets = Object.entries(all).flatMap(([key, value]) => ['--set', `${key}=${value}`])
  const { exit, stdout, stderr } = await runPeer(directory, ['doctor', ...(check === '' ? [] : [check]), '--json', ...sets])
  expect(stderr).toBe('')
  const report: unknown = JSON.parse(stdout)
  const findings: readonly Finding[] =
    typeof report === 'object' && report !== null && 'findings' in report && Array.isArray(report.findings) ? report.findings : []
  return { exit, report, findings }
}

/** What `doctor ports` says of `peer.listenAddress`. */
async function ofListener(values: Readonly<Record<string, string>> = {}) {
  const { exit, findings } = await doctor('ports', values)
  return { exit, finding: findings.find(({ found }) => found.startsWith('peer.listenAddress')) }
}

async function listen(): Promise<{ readonly server: Server; readonly address: string }> {
  const server = createServer((socket) => void socket.destroy()).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const bound = server.address()
  return { server, address: `127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}` }
}

describe('room for young objects', () => {
  test('is there if the command line or NODE_OPTIONS says so, or Node.js has it by itself', () => {
    expect(hasYoungRoom('20.20.2', ['--max-semi-space-size=64'])).toBe(true)
    expect(hasYoungRoom('20.20.2', [], '--enable-source-maps --max_semi_space_size=32')).toBe(true)
    expect(hasYoungRoom('24.1.0', [])).toBe(true)
    expect(hasYoungRoom('20.20.2', ['--max-old-space-size=64'], '')).toBe(false)
  })

  test('is warned of where it is missing, with what to set', () => {
    expect(flagsFinding(true).level).toBe('ok')
    expect(flagsFinding(false)).toMatchObject({ level: 'warning', todo: expect.stringContaining('NODE_OPTIONS=--max-semi-space-size=64') })
  })
})

describe('peer doctor', () => {
  test('names the checks that there are to whoever asks for another one', async () => {
    const { exit, stdout, stderr } = await runPeer(directory, ['doctor', 'port'])
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' })
    expect(stderr).toMatch(/^Error: there is no check 'port', did you mean ports; there are (\w+, )*ports(, \w+)*\n/)
  })

  test('runs every check of the site and exits with 1 after a failure alone', async () => {
    const fine = await doctor('')
    expect(fine.report).toMatchObject({ ok: true, checks: expect.any(Array) })
    const names = (report: unknown): unknown =>
      typeof report === 'object' && report !== null && 'checks' in report && Array.isArray(report.checks) ? report.checks.map(({ check }) => check) : []
    expect(names(fine.report)).toEqual(expect.arrayContaining(['versions', 'ports', 'data', 'limits', 'clock', 'config', 'sandbox', 'tls', 'reach', 'store']))
    expect(fine.exit).toBe(0)
    const { exit, report } = await doctor('', { 'peer.tls.enabled': 'true', 'chaincode.sandbox': 'none' })
    expect(exit).toBe(1)
    expect(report).toMatchObject({ ok: false })
  })

  test('reports a configuration that is not valid once, and what could be checked nevertheless', async () => {
    const { exit, report } = await doctor('', { 'peer.limits.streams': 'many' })
    expect(exit).toBe(1)
    expect(report).toMatchObject({
      checks: expect.arrayContaining([
        expect.objectContaining({
          check: 'config',
          findings: [expect.objectContaining({ level: 'failure', found: expect.stringContaining('peer.limits.streams') })],
        }),
        expect.objectContaining({ check: 'tls', skipped: 'the configuration is not valid' }),
        expect.objectContaining({ check: 'versions', findings: expect.arrayContaining([expect.objectContaining({ level: 'ok' })]) }),
      ]),
    })
  })

  test('says of everything that is not ok what to do, and counts', () => {
    const examined = [
      { check: 'loom', findings: [{ level: 'failure' as const, found: 'it leans\nfar', todo: 'prop it' }] },
      { check: 'yarn', findings: [], skipped: 'no loom' },
    ]
    expect(findingLines(examined)).toEqual(['failure   loom   it leans\n          far', '                   -> prop it', 'skipped   yarn   no loom'])
    expect(summary(examined)).toBe('0 ok, 0 warnings, 1 failure, 1 checks skipped')
  })

  test('makes of what a check throws a failure', async () => {
    const patient = patientOf(createSite({ plugins: [] }), { cwd: '.', version: '1' })
    const broken = { examine: () => Promise.reject(new Error('the needle broke')) }
    expect(await examineBy('needle', broken, patient)).toEqual({ check: 'needle', findings: [{ level: 'failure', found: 'the needle broke' }] })
  })
})

describe('the check of', () => {
  test('ports tells a free one, one of another program, and those that cannot be', async () => {
    const { address } = await listen()
    const taken = await ofListener({ 'peer.listenAddress': address })
    expect(taken).toMatchObject({
      exit: 1,
      finding: { level: 'failure', found: expect.stringContaining(`peer.listenAddress: ${address} is in use by another program, process ${process.pid} (`) },
    })
    expect(await ofListener()).toMatchObject({ exit: 0, finding: { level: 'ok' } })
    const elsewhere = await ofListener({ 'peer.listenAddress': '203.0.113.1:7051' })
    expect(elsewhere.finding).toMatchObject({ level: 'failure', todo: 'set peer.listenAddress to an address of this machine' })
    const impossible = await ofListener({ 'peer.listenAddress': '127.0.0.1:70000' })
    expect(impossible.finding).toMatchObject({ level: 'failure', found: expect.stringContaining('out of range') })
  })

  test('ports, data and store know the running peer of the site', async () => {
    const data = join(directory, 'data')
    const { peer } = grpcPeer([directoryPlugin], { 'peer.fileSystemPath': data })
    await peer.start()
    onTestFinished(() => peer.stop())
    mkdirSync(join(data, 'db'))
    const held = `held by the running peer of this site, process ${process.pid}`
    const { finding } = await ofListener({ 'peer.listenAddress': peer.listenerAddress() })
    expect(finding).toMatchObject({ level: 'ok', found: expect.stringContaining(held) })
    expect((await doctor('data')).findings).toEqual(
      expect.arrayContaining([expect.objectContaining({ level: 'ok', found: `in use by the peer with process id ${process.pid}` })]),
    )
    expect((await doctor('store')).findings).toMatchObject([{ level: 'ok', found: expect.stringContaining('open in the running peer') }])
    expect(directoryHolder(data)).toBe(process.pid)
  })

  test('ports leaves out what is switched off', async () => {
    const { entries } = resolveSettings(createSite({ plugins: (await loadPackagedSite(PACKAGED)).plugins }))
    expect(listenAddresses(entries()).map(({ key }) => key)).toContain('peer.listenAddress')
    const entry = (key: string, value: unknown) => ({ key, value, layer: 'default' as const, origin: 'test', description: '' })
    const some = [
      entry('rest.enabled', false),
      entry('rest.address', '0.0.0.0:7050'),
      entry('peer.profile.enabled', true),
      entry('peer.profile.listenAddress', '127.0.0.1:6060'),
      entry('peer.address', 'vp0:7051'),
    ]
    expect(listenAddresses(some)).toEqual([{ key: 'peer.profile.listenAddress', address: '127.0.0.1:6060' }])
  })

  test('data finds a place that cannot be, and modes that let everybody in', async () => {
    writeFileSync(join(directory, 'file'), '')
    expect(await doctor('data', { 'peer.fileSystemPath': join(directory, 'file/data') })).toMatchObject({ exit: 1 })
    mkdirSync(join(directory, 'data'))
    chmodSync(join(directory, 'data'), 0o777)
    const { exit, findings } = await doctor('data')
    expect(exit).toBe(0)
    expect(findings).toEqual(expect.arrayContaining([expect.objectContaining({ level: 'warning', todo: `chmod o-w ${join(directory, 'data')}` })]))
    expect(findings.at(-1)?.found).toMatch(/^a synced write of 4 KiB takes [\d.]+ ms/)
  })

  test('data judges room', () => {
    const at = (bytes: number) => spaceFinding('/data', { bavail: bytes / 4096, bsize: 4096, blocks: 1e9 })
    expect([at(100 * 1024 ** 2), at(1024 ** 3), at(5 * 1024 ** 3)].map(({ level }) => level)).toEqual(['failure', 'warning', 'ok'])
  })

  test('store finds one without its head', async () => {
    expect((await doctor('store')).findings).toMatchObject([{ level: 'ok', found: expect.stringContaining('no store yet') }])
    const store = join(directory, 'data/db')
    mkdirSync(store, { recursive: true })
    writeFileSync(join(store, '000005.ldb'), 'data')
    expect(await doctor('store')).toMatchObject({
      exit: 1,
      findings: [{ level: 'failure', found: expect.stringContaining('CURRENT is missing'), todo: expect.stringContaining('backup') }],
    })
  })

  test('reach tells of root nodes why they cannot be reached', async () => {
    const { address } = await listen()
    const peer = grpcPeer([], {}).peer
    await peer.start()
    onTestFinished(() => peer.stop())
    const { exit, findings } = await doctor('reach', {
      'peer.address': '127.0.0.1:1',
      'peer.discovery.rootnode': `${peer.listenerAddress()},127.0.0.1:2,nonsense,${address}`,
    })
    expect(exit).toBe(1)
    expect(findings).toMatchObject([
      { level: 'ok', found: 'no peer runs at 127.0.0.1:1 (peer.address)' },
      { level: 'ok', found: expect.stringContaining(`${peer.listenerAddress()} can be reached`) },
      { level: 'failure', found: expect.stringContaining('127.0.0.1:2 cannot be reached'), todo: 'connection refused: is a peer running at 127.0.0.1:2?' },
      { level: 'failure', found: expect.stringContaining('"nonsense" is no host:port') },
      { level: 'failure', found: expect.stringContaining(`${address} cannot be reached`), todo: expect.stringContaining('does not answer as a peer') },
    ])
  })

  test('tls finds what the next start would, and what clients would not take', async () => {
    const authority = await TestAuthority.make()
    const server = await authority.issue('server', 'localhost', { days: 10 })
    const tls = (more: Record<string, string> = {}) => ({
      'peer.tls.enabled': 'true',
      'peer.tls.cert.file': server.cert,
      'peer.tls.key.file': server.key,
      ...more,
    })
    const soon = await doctor('tls', tls())
    expect(soon.exit).toBe(0)
    expect(soon.findings[0]).toMatchObject({ level: 'warning', found: expect.stringMatching(/expires in (9|10) days/) })
    const other = await TestAuthority.make('other')
    expect(await doctor('tls', tls({ 'peer.tls.rootcert.file': other.file }))).toMatchObject({ exit: 1 })
    expect(await doctor('tls', tls({ 'peer.tls.key.file': (await authority.issue('server')).key }))).toMatchObject({
      exit: 1,
      findings: [{ level: 'failure', found: expect.stringContaining('does not belong to the certificate'), todo: expect.stringContaining('a pair') }],
    })
    chmodSync(server.key, 0o644)
    const open = await doctor('tls', tls({ 'peer.tls.clientAuth': 'admin', 'peer.tls.clientRootCAs.files': authority.file }))
    expect(open.findings).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ todo: `chmod 600 ${server.key}` }),
        expect.objectContaining({ found: expect.stringContaining('no client certificate is configured') }),
      ]),
    )
  })

  test('limits and versions judge', () => {
    const limits = (files: string): string =>
      `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${files}                 4096                 files\n`
    expect(['1024', '65536', 'unlimited'].map((files) => limitFindings(limits(files), 1024)[0]?.level)).toEqual(['warning', 'ok', 'ok'])
    expect(limitFindings('', 1024)[0]).toMatchObject({ level: 'ok', found: 'this system does not tell its limits' })
    expect(['20.18.9', '20.19.0', '24.1.0', '18.20.0'].map((version) => nodeFinding(version, '>=20.19').level)).toEqual(['failure', 'ok', 'ok', 'failure'])
  })

  test('the clock finds one that was set back, by what the peer has written', async () => {
    const now = Date.UTC(2027, 0, 1)
    expect(clockFinding(now, now - 5000).level).toBe('ok')
    expect(clockFinding(now, now + 5000).level).toBe('ok')
    expect(clockFinding(now, now + 3_600_000)).toMatchObject({ level: 'failure', found: expect.stringContaining('it was set back') })
    expect(clockFinding(Date.UTC(1970, 0, 2), undefined).level).toBe('failure')
    mkdirSync(join(directory, 'data'))
    writeFileSync(join(directory, 'data/peer.pid'), '')
    const tomorrow = Date.now() / 1000 + 86_400
    utimesSync(join(directory, 'data/peer.pid'), tomorrow, tomorrow)
    expect(await doctor('clock')).toMatchObject({ exit: 1 })
  })

  test('config has the notes of the configuration, and the sandbox the choice of none', async () => {
    expect((await doctor('config', { 'peer.gomaxprocs': '4' })).findings).toMatchObject([
      { level: 'ok' },
      { level: 'ok', found: expect.stringContaining('peer.gomaxprocs') },
    ])
    expect((await doctor('sandbox', { 'chaincode.sandbox': 'none' })).findings).toMatchObject([
      { level: 'warning', todo: expect.stringContaining('bubblewrap') },
    ])
    expect((await doctor('sandbox', { 'chaincode.mode': 'dev' })).findings).toMatchObject([{ level: 'ok' }])
  })
})

test('a plugin of a site brings its own check', async () => {
  writeFileSync(
    join(directory, 'loom.ts'),
    `import { definePlugin } from 'weft'
import { DoctorCheck, checkUsage } from 'weft/plugins/doctor'
class LoomCheck extends DoctorCheck {
  static override paths = [['doctor', 'loom']]
  static override usage = checkUsage('loom', 'the loom')
  async examine() {
    return [{ level: 'failure' as const, found: 'the loom leans', todo: 'prop it' }]
  }
}
export default definePlugin({ name: 'loom', commands: [LoomCheck], apply() {} })
`,
  )
  writeFileSync(join(directory, 'peer.config.ts'), `export default { plugins: ['./loom.ts', 'weft/plugins/doctor'] }\n`)
  const alone = await runPeer(directory, ['doctor', 'loom'])
  expect(alone).toEqual({ exit: 1, stdout: 'failure   loom   the loom leans\n                   -> prop it\n', stderr: '' })
  const all = await runPeer(directory, ['doctor'])
  expect(all.exit).toBe(1)
  expect(all.stdout).toMatch(/^failure {3}loom {7}the loom leans$/m)
  expect(all.stdout).toMatch(/, 1 failure$/m)
})
