import { expect, test } from 'vitest'
import { prepareNetwork, untilMeshed } from './support/network.js'
import { startPeer, until } from './support/peer.js'
import { Program, runProgram } from './support/program.js'

interface Sample {
  readonly peers: readonly {
    readonly id: string
    readonly state: string
    readonly height?: number
    readonly reason?: string
    readonly links?: { readonly up: number }
  }[]
}

test('a network is seen through one of its peers; what is down is red, and seen again when it is back', { timeout: 240_000 }, async () => {
  const [vp0, vp1] = await prepareNetwork({ peers: 2 })
  if (!vp0 || !vp1) throw new Error('two peers')
  await Promise.all([vp0.start(), vp1.start()])
  await untilMeshed([vp0, vp1])
  let seen = ''
  // A loaded machine may answer too late for the first picture.
  await until('both are seen', async () => {
    const { code, stdout } = await vp0.cli('top', '--json')
    seen = stdout
    return code === 0
  })
  const sample: Sample = JSON.parse(seen)
  expect(sample.peers).toMatchObject([
    { id: 'vp0', state: 'running', height: 1, links: { up: 1 }, transactionsPerSecond: 0 },
    { id: 'vp1', state: 'running', height: 1, links: { up: 1 }, transactionsPerSecond: 0 },
  ])
  await expect
    .poll(() => vp1.cli('consensus', 'status', '--all'))
    .toMatchObject({ code: 0, stdout: expect.stringMatching(/^vp0 +noops@\S+ +0 +1 .*running\nvp1 /m) })

  const stream = new Program(['top', '--json', '--interval', '0.1', '--peers', `${vp0.address},${vp1.address}`], vp0.options)
  const newest = (): Sample['peers'] => {
    const line = stream.stdout.split('\n').slice(-2)[0] ?? ''
    const sample: Sample = line === '' ? { peers: [] } : JSON.parse(line)
    return sample.peers
  }
  await stream.until('both are seen', () => newest().filter(({ state }) => state === 'running').length === 2)
  await vp1.killHard()
  await stream.until('the dead one is seen', () => newest()[1]?.reason === `connection refused: is a peer running at ${vp1.address}?`)
  expect(newest()[1]).toMatchObject({ id: 'vp1', state: 'unreachable' })

  const once = await vp0.cli('top', '--once', '--peers', `${vp0.address},${vp1.address}`)
  expect(once.code).toBe(1)
  expect(once.stdout).toMatch(/1 of 2 answer/)
  expect(once.stdout).toMatch(/unreachable for .*: connection refused/)
  const status = await vp0.cli('consensus', 'status', '--all')
  expect(status.code).toBe(1)
  expect(status.stdout).toMatch(/^vp1 +no answer: vp0 is not linked to it, so its address is not known$/m)

  expect((await vp0.cli('doctor', 'reach')).stdout).toContain(`warning   reach   the peer of this site cannot reach ${vp1.address}, which it knows: `)

  await vp1.start()
  await stream.until('it is seen again', () => newest()[1]?.state === 'running')
  stream.signal('SIGINT')
  expect(await stream.ended).toMatchObject({ code: 0, stderr: '' })
})

test('a reader that goes away ends a command, and a stream of samples, without a word', { timeout: 240_000 }, async () => {
  const peer = await startPeer()
  const status = new Program(['consensus', 'status'], { ...peer.options, through: ['bash', '-c', '"$@" | true; exit ${PIPESTATUS[0]}', 'bash'] })
  expect(await status.ended).toMatchObject({ stderr: '', code: 0 })
  const { stderr, code } = await new Program(['top', '--json', '--interval', '0.1', '--peers', '127.0.0.1:1'], {
    cwd: '/',
    through: ['bash', '-c', '"$@" | head -n 1; exit ${PIPESTATUS[0]}', 'bash'],
  }).ended
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
  expect(await runProgram(['top', '--once', '--peers', '127.0.0.1:1'], { cwd: '/' })).toMatchObject({ code: 1, stderr: '' })
})
