import { expect, onTestFinished, test } from 'vitest'
import { definePlugin } from '../../kernel/index.js'
import http, { HTTP } from '../../plugins/http/index.js'
import profiling from '../../plugins/profiling/index.js'
import { grpcPeer } from '../grpc/grpc-peer.js'
import { decodeProfile } from './decode.js'

async function profiledPeer(values: Record<string, unknown> = {}) {
  let address: string | undefined
  const finder = definePlugin({
    name: 'finder',
    requires: [HTTP],
    apply: (peer) => {
      peer.hooks.start.tap(async () => {
        address = peer.use(HTTP).find('profiling')?.address
      })
    },
  })
  const { peer } = grpcPeer([http, profiling, finder], { 'peer.profile.enabled': true, 'peer.profile.listenAddress': '127.0.0.1:0', ...values })
  await peer.start()
  onTestFinished(() => peer.stop())
  const get = (page: string, options: RequestInit = {}) => fetch(`http://${address}/debug/pprof/${page}`, options)
  return { get, address }
}

test('the listener is off unless the site turns it on', async () => {
  expect((await profiledPeer({ 'peer.profile.enabled': false })).address).toBeUndefined()
})

test('one CPU profile is taken at a time; the second caller is told to wait', async () => {
  const { get } = await profiledPeer()
  // Whichever of the two comes first.
  const [taken, refused] = (await Promise.all([get('profile?seconds=2'), get('profile?seconds=2')])).sort((one, other) => one.status - other.status)
  expect([taken?.status, refused?.status]).toEqual([200, 409])
  expect(decodeProfile(Buffer.from((await taken?.arrayBuffer()) ?? new ArrayBuffer(0))).kinds).toEqual(['samples/count', 'cpu/nanoseconds'])
})

test('a profile ends when its client goes, and the next one is taken', async () => {
  const { get } = await profiledPeer()
  const leaving = new AbortController()
  const two = [1, 2].map(() => get('profile?seconds=300', { signal: leaving.signal }))
  expect((await Promise.race(two)).status).toBe(409)
  leaving.abort()
  expect((await Promise.allSettled(two)).map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  await expect.poll(async () => (await get('profile?seconds=0.1')).status).toBe(200)
})

test.each(['0', '-1', '601', 'x', '1e3', ''])('seconds=%s is refused', async (seconds) => {
  const { get } = await profiledPeer()
  const response = await get(`profile?seconds=${seconds}`)
  expect(response.status).toBe(400)
  expect(await response.text()).toBe('seconds: expected a number above 0 and at most 600\n')
})

test('the index names what there is; what there is not is 404 and says what there is', async () => {
  const { get } = await profiledPeer()
  expect(await (await get('')).text()).toMatch(/^\/debug\/pprof\/\n\nprofile .*\nheap .*\n/)
  const missing = await get('block')
  expect(missing.status).toBe(404)
  expect(await missing.text()).toContain('goroutine')
  expect((await get('cmdline')).status).toBe(200)
  expect(await (await get('symbol')).text()).toBe('num_symbols: 0\n')
})

test('goroutine tells what keeps the event loop alive, for pprof and for people', async () => {
  const { get } = await profiledPeer()
  const { kinds, samples } = decodeProfile(Buffer.from(await (await get('goroutine')).arrayBuffer()))
  expect(kinds).toEqual(['goroutine/count'])
  expect(samples.map(({ stack }) => stack[0])).toContain('TCPServerWrap')
  expect(await (await get('goroutine?debug=1')).text()).toMatch(/^resources: total \d+\n(\d+ @ \w+\n)+$/)
  expect(await (await get('goroutine?debug=2')).text()).toMatch(/\nserver 127\.0\.0\.1:\d+\n/)
})

test('the delay of the event loop is told since the start or within the next seconds', async () => {
  const { get } = await profiledPeer()
  expect(await (await get('eventloop')).text()).toMatch(/^event loop delay within [\d.]+ s: \d+ observations/)
  expect(await (await get('eventloop?seconds=0.2&format=json')).json()).toMatchObject({
    seconds: expect.any(Number),
    percentilesMs: { p50: expect.any(Number) },
  })
})

test('the heap profile decodes', async () => {
  const { get } = await profiledPeer()
  const { kinds, samples } = decodeProfile(Buffer.from(await (await get('heap?gc=1')).arrayBuffer()))
  expect(kinds).toEqual(['inuse_objects/count', 'inuse_space/bytes'])
  for (const { values } of samples) expect(values.every((value) => value > 0)).toBe(true)
})
