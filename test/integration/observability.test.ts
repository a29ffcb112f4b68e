import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { exampleDashboard, matches, selectorsOf } from '../metrics/dashboard-queries.js'
import { doors } from '../metrics/kit.js'
import { decodeProfile } from '../profiling/decode.js'
import { Load, randomFrom } from './support/load.js'
import { preparePeer, startPeer, temporaryDirectory, type TestPeer } from './support/peer.js'
import { freePort } from './support/ports.js'

/** Needs the right to mount a small file system. */
const canMount = spawnSync('sh', ['-c', 'd=$(mktemp -d) && mount -t tmpfs -o size=1m tmpfs "$d" && umount "$d"; s=$?; rmdir "$d"; exit $s']).status === 0
const disk = temporaryDirectory()
beforeAll(() => {
  if (canMount) expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk]).status).toBe(0)
})
afterAll(() => void spawnSync('sh', ['-c', 'rm -rf "$0"/*; umount "$0"; rmdir "$0"', disk]))

/** A busy machine stands still for longer than health allows. */
const PATIENT = { 'metrics.health.loopDelay': '1h' }

/** The metrics listener of a peer, found in its log. */
function metricsOf(peer: TestPeer) {
  const found = /listener metrics on http:\/\/(\S+)/.exec(peer.program.stderr)
  return doors(found?.[1] ?? '')
}

test('a CPU profile taken under load names functions of this program, and the metrics count the load', { timeout: 240_000 }, async () => {
  const profiling = `127.0.0.1:${await freePort()}`
  const peer = await startPeer({ set: { 'peer.profile.enabled': 'true', 'peer.profile.listenAddress': profiling, ...PATIENT } })
  const load = new Load(peer.client, randomFrom(7), 16)
  const cpu = await peer.cli('profile', 'cpu', '--seconds', '2', '-o', 'cpu.pb.gz', '--address', profiling, '--json')
  expect(cpu.code, cpu.stderr).toBe(0)
  const heap = await peer.cli('profile', 'heap', '-o', 'heap.pb.gz', '--address', profiling)
  expect(heap.stdout, heap.stderr).toMatch(/^Wrote .*heap\.pb\.gz/)
  const loop = await peer.cli('profile', 'eventloop', '--json', '--address', profiling)
  expect(JSON.parse(loop.stdout)).toMatchObject({ percentilesMs: { p99: expect.any(Number) } })
  const { accepted } = await load.stop()

  const profile = decodeProfile(readFileSync(join(peer.directory, 'cpu.pb.gz')))
  expect(profile.kinds).toEqual(['samples/count', 'cpu/nanoseconds'])
  const nanos = profile.samples.reduce((sum, { values }) => sum + (values[1] ?? 0), 0)
  expect(nanos).toBeGreaterThan(0)
  expect(nanos).toBeLessThanOrEqual(profile.durationNanos)
  const areas = new Set(profile.functions.flatMap(({ file }) => /^plugins\/\w+/.exec(file)?.[0] ?? []))
  expect([...areas]).toEqual(expect.arrayContaining(['plugins/chaincode', 'plugins/consensus', 'plugins/grpc', 'plugins/ledger']))
  expect(profile.functions.filter(({ file, line }) => file.endsWith('.ts') && (line < 1 || !existsSync(join(import.meta.dirname, '../..', file))))).toEqual([])
  expect(decodeProfile(readFileSync(join(peer.directory, 'heap.pb.gz'))).kinds).toEqual(['inuse_objects/count', 'inuse_space/bytes'])

  const metrics = await metricsOf(peer).scrape()
  expect(Number(metrics.get('peer_consensus_accepted_total')?.metrics[0]?.value)).toBeGreaterThanOrEqual(accepted.size)
  expect(metrics.get('peer_grpc_calls_total')?.metrics.some(({ labels }) => labels?.['method'] === '/protos.Devops/Invoke')).toBe(true)
  for (const selector of exampleDashboard().panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => selectorsOf(expr)))) {
    const found = metrics.get(selector.metric.replace(/_(bucket|sum|count)$/, '')) ?? metrics.get(selector.metric)
    expect(found, selector.metric).toBeDefined()
    // What the engine says of itself is its own affair: this one has no views.
    if (/^peer_consensus_(engine|status)_value$/.test(selector.metric)) continue
    expect(
      found?.metrics.some(({ labels = {} }) => matches(selector, labels)),
      JSON.stringify(selector),
    ).toBe(true)
  }
  expect((await metricsOf(peer).judge('/readyz')).code).toBe(200)
  const late = await peer.cli('profile', 'cpu', '--address', `127.0.0.1:${await freePort()}`)
  expect({ code: late.code, error: late.stderr }).toMatchObject({ code: 1, error: expect.stringContaining('no profiling listener answers on') })
})

test.runIf(canMount)('health turns red while the disk is full, before the peer has to stop, and green with room again', { timeout: 240_000 }, async () => {
  const peer = await startPeer({ data: join(disk, 'data'), set: { 'metrics.health.minFreeBytes': String(16 * 1024 * 1024), ...PATIENT } })
  const { judge } = metricsOf(peer)
  expect((await judge('/healthz')).code).toBe(200)
  const filler = join(disk, 'filler')
  const handle = openSync(filler, 'w')
  onTestFinished(() => rmSync(filler, { force: true }))
  const { bavail, bsize } = statfsSync(disk)
  for (let rest = bavail * bsize - 8 * 1024 * 1024; rest > 0; rest -= 65_536) writeSync(handle, Buffer.alloc(Math.min(rest, 65_536)))
  fsyncSync(handle)
  closeSync(handle)
  expect(await judge('/healthz')).toMatchObject({ code: 503, verdict: { checks: { disk: { ok: false }, store: { ok: true } } } })
  expect((await judge('/readyz')).code).toBe(503)
  rmSync(filler)
  await expect.poll(async () => (await judge('/healthz')).code).toBe(200)
})

test('levels are changed by the command line while the peer runs, and its log file is opened anew on SIGHUP', { timeout: 240_000 }, async () => {
  const file = join(temporaryDirectory(), 'peer.log')
  const peer = await startPeer({ data: join(temporaryDirectory(), 'data'), set: { 'logging.node': 'info' } })
  const text = await peer.cli('logging', 'set', 'ledger=debug', 'consensus=error')
  expect(text.stdout, text.stderr).toMatch(/^ledger +debug \*$/m)
  const { stdout } = await peer.cli('logging', 'get', 'consensus', '--json')
  expect(JSON.parse(stdout)).toEqual({ fallback: 'info', components: [{ component: 'consensus', level: 'error', isOwn: true }] })
  const wrong = await peer.cli('logging', 'set', 'ledgre=debug')
  expect({ code: wrong.code, error: wrong.stderr }).toMatchObject({ code: 1, error: expect.stringContaining('did you mean ledger?') })
  expect((await peer.cli('logging', 'reset')).stdout).not.toContain('*')
  await peer.stop()

  const logged = await startLogged(file)
  renameSync(file, `${file}.1`)
  logged.program.signal('SIGHUP')
  await logged.program.until('a new log file', () => existsSync(file) && readFileSync(file, 'utf8').includes('the log file was opened anew'))
  expect(readFileSync(`${file}.1`, 'utf8')).toContain('consensus engine started')
  expect((await logged.stop()).stderr).toBe('')
})

/** A peer that logs to a file: `start` waits for lines on stderr. */
async function startLogged(file: string): Promise<TestPeer> {
  const peer = await preparePeer({ set: { 'logging.file': file } })
  onTestFinished(() => peer.dispose())
  peer.launch()
  await peer.program.until('the peer answers', () => peer.isAnswering())
  return peer
}
