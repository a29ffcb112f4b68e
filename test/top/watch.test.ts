import { expect, onTestFinished, test } from 'vitest'
import type { Answer, Target } from '../../plugins/top/model.js'
import { findTargets } from '../../plugins/top/targets.js'
import { Watch } from '../../plugins/top/watch.js'
import { tlsSettings } from '../grpc/grpc-peer.js'
import { answerOf, networkOf, reportOf } from './pictures.js'

function startWatch(targets: readonly Target[], ask: (target: Target) => Promise<Answer>, follows = false): Watch {
  const watch = new Watch({ title: 'test', targets, ask, intervalMs: 10, follows })
  const ended = new AbortController()
  onTestFinished(async () => {
    ended.abort()
    await watch.ended()
  })
  watch.start(ended.signal)
  return watch
}

const at = (index: number): Target => ({ name: `127.0.0.1:70${5 + index}1`, address: `127.0.0.1:70${5 + index}1` })
const namesOf = (watch: Watch): string[] => watch.picture().peers.map(({ target, last }) => last?.report.id ?? target.name)

test('a peer that does not answer is asked again and again; one that hangs holds up nobody', async () => {
  let isUp = false
  let release = (): void => undefined
  const watch = startWatch([at(0), at(1), at(2)], async ({ address }) => {
    if (address === at(2).address) return new Promise((_, reject) => (release = () => reject(new Error('released'))))
    if (address === at(1).address && !isUp) throw new Error('connection refused')
    return answerOf(address === at(0).address ? 0 : 1, { atMs: performance.now() })
  })
  // Before the watch is awaited.
  onTestFinished(() => release())
  await expect.poll(() => watch.picture().peers.map(({ state }) => state)).toEqual(['answers', 'unreachable', 'asked'])
  const { reason, sinceMs } = watch.picture().peers[1] ?? { reason: '', sinceMs: 0 }
  expect(reason).toBe('connection refused')
  await expect.poll(() => performance.now() - sinceMs > 50).toBe(true)
  expect(watch.picture().peers[1]?.sinceMs).toBe(sinceMs)
  isUp = true
  await expect.poll(() => watch.picture().peers[1]?.state).toBe('answers')
  expect(watch.picture().happenings.map(({ text }) => text.replace(/\d+.*/, ''))).toEqual(['unreachable: connection refused', 'answers again, after '])
})

test('validators that a peer is linked to are watched as well, each once, whatever else they are called', async () => {
  const asked = new Set<string>()
  const watch = startWatch(
    [at(0)],
    async ({ address }) => {
      asked.add(address)
      const index = address === 'other:7061' ? 1 : Number(address.slice(-2, -1)) - 5
      const dials = [{ address: 'other:7061', failures: 1, retryMs: 5n, reason: 'refused' }]
      return answerOf(index, { atMs: performance.now(), report: reportOf(index), network: { ...networkOf(index), dials } })
    },
    true,
  )
  await expect.poll(() => asked.size).toBe(5)
  await expect.poll(() => namesOf(watch)).toEqual(['vp0', 'vp1', 'vp2', 'vp3'])
})

test('peers are those that are named, else a devnet, else what the site knows', () => {
  const settings = { ...tlsSettings({}), 'peer.address': '10.0.0.1:7051' }
  const asked = { peers: undefined, directory: undefined, namesSite: false, siteFile: undefined, cwd: '/nowhere' }
  expect(findTargets({ ...asked, peers: 'a:1,b:2,a:1' }, settings).targets).toEqual([
    { name: 'a:1', address: 'a:1' },
    { name: 'b:2', address: 'b:2' },
  ])
  expect(findTargets(asked, settings)).toMatchObject({ targets: [{ address: '10.0.0.1:7051' }], follows: true })
  for (const peers of ['', 'a', 'a:1,', 'a:b', 'http://a:1']) expect(() => findTargets({ ...asked, peers }, settings)).toThrow(/--peers takes addresses/)
  expect(() => findTargets({ ...asked, directory: '/nowhere' }, settings)).toThrow(/there is no devnet in \/nowhere/)
  expect(() => findTargets({ ...asked, directory: '/nowhere', peers: 'a:1' }, settings)).toThrow(/one of --peers and --dir/)
})
