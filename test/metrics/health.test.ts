import { expect, test } from 'vitest'
import ledger from '../../plugins/ledger/index.js'
import level from '../../plugins/level/index.js'
import { fakeConsensus, metricsPeer } from './kit.js'

test('a peer that is well says so of every component', async () => {
  const { judge } = await metricsPeer([level, ledger, fakeConsensus().plugin])
  const { code, verdict } = await judge('/readyz')
  expect({ code, verdict }).toMatchObject({ code: 200, verdict: { status: 'ok' } })
  expect(Object.keys(verdict.checks)).toEqual(['disk', 'engine', 'eventloop', 'state', 'store', 'submission'])
  expect((await judge('/healthz')).verdict.checks).not.toHaveProperty('submission')
})

test('a halted engine turns health and readiness red, with its reason, and green when it runs again', async () => {
  const consensus = fakeConsensus()
  const { judge } = await metricsPeer([level, ledger, consensus.plugin])
  consensus.set({ halted: 'the warp broke' })
  expect(await judge('/healthz')).toMatchObject({
    code: 503,
    verdict: { status: 'failing', checks: { engine: { ok: false, reason: 'loom 1 is halted: the warp broke' } } },
  })
  expect((await judge('/readyz')).verdict.checks['submission']).toEqual({ ok: false, reason: 'transactions are refused: the warp broke' })
  consensus.set({})
  expect((await judge('/readyz')).code).toBe(200)
})

test('an engine is stuck when requests wait and no block comes for metrics.health.stuckAfter', async () => {
  const consensus = fakeConsensus()
  const { judge } = await metricsPeer([level, ledger, consensus.plugin], { 'metrics.health.stuckAfter': '1ms' })
  expect((await judge('/healthz')).code).toBe(200)
  consensus.set({ pendingRequests: 3 })
  consensus.counters.waitingSinceMs = performance.now() - 5000
  await new Promise((resolve) => setTimeout(resolve, 5))
  const { code, verdict } = await judge('/healthz')
  expect(code).toBe(503)
  expect(verdict.checks['engine']?.reason).toMatch(/^loom 1 is stuck: 3 requests wait; no block for \d+\.\d s$/)
  consensus.set({})
  consensus.counters.waitingSinceMs = undefined
  expect((await judge('/healthz')).code).toBe(200)
})

test('a state that is behind the network is not healthy', async () => {
  const consensus = fakeConsensus()
  const { judge } = await metricsPeer([consensus.plugin])
  consensus.set({ valid: false })
  expect((await judge('/healthz')).verdict.checks['state']).toEqual({
    ok: false,
    reason: 'the state, at height 7, is behind the network: queries are refused until it has caught up',
  })
})

test('a disk with less room than metrics.health.minFreeBytes is red before writes fail', async () => {
  const { judge } = await metricsPeer([level], { 'metrics.health.minFreeBytes': Number.MAX_SAFE_INTEGER })
  const { code, verdict } = await judge('/healthz')
  expect(code).toBe(503)
  expect(verdict.checks['disk']?.reason).toMatch(/MiB free on the disk of .*, less than metrics.health.minFreeBytes .*: make room/)
})

test('an event loop that stood still is told of afterwards', async () => {
  const { judge } = await metricsPeer([], { 'metrics.health.loopDelay': '100ms' })
  const eventLoop = async () => (await judge('/healthz')).verdict.checks['eventloop']
  // What the loop is sampled with has to have begun before a stall, and to come round once after it.
  const afterStall = async () => {
    const end = performance.now() + 200
    while (performance.now() < end);
    await new Promise((resolve) => setTimeout(resolve, 50))
    return eventLoop()
  }
  await expect.poll(afterStall).toMatchObject({ ok: false, reason: expect.stringContaining('longest stall') })
})

test('a check of another plugin counts; one that fails, or never answers, is red and holds up nobody', async () => {
  const { metrics, judge } = await metricsPeer()
  const remove = metrics.check('loom', () => {
    throw new Error('torn')
  })
  metrics.check('weaver', () => new Promise(() => undefined), 'ready')
  expect((await judge('/healthz')).verdict.checks).toMatchObject({ loom: { ok: false, reason: 'its check failed: torn' } })
  expect((await judge('/readyz')).verdict.checks['weaver']).toEqual({ ok: false, reason: 'its check did not answer within 1000 ms' })
  remove()
  expect((await judge('/healthz')).code).toBe(200)
  expect(() => metrics.check('disk', () => ({ ok: true, reason: '' }))).toThrow(/there already/)
})

test('people get text: asked for by name or by what they accept', async () => {
  const { get } = await metricsPeer()
  for (const response of [await get('/healthz?format=text'), await get('/healthz', { accept: 'text/plain' })]) {
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(await response.text()).toMatch(/^ok\nok disk: /)
  }
  expect(await (await get('/livez')).text()).toBe('ok\n')
})
