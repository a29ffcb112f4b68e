import { spawnSync } from 'node:child_process'
import { closeSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { ChainFollower, Load, randomFrom } from './support/load.js'
import { preparePeer, temporaryDirectory, type TestPeer } from './support/peer.js'
import { expectSound } from './support/verify.js'

/** Needs the right to mount a small file system. */
const canMount = spawnSync('sh', ['-c', 'd=$(mktemp -d) && mount -t tmpfs -o size=1m tmpfs "$d" && umount "$d"; s=$?; rmdir "$d"; exit $s']).status === 0

const disk = temporaryDirectory()
beforeAll(() => {
  if (canMount) expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', disk]).status).toBe(0)
})
// In some containers the file system stays, empty.
afterAll(() => void spawnSync('sh', ['-c', 'rm -rf "$0"/*; umount "$0"; rmdir "$0"', disk]))

/** Fills a disk but for so many bytes; returns what makes room again. */
function fill(leave: number): () => void {
  const file = join(disk, 'filler')
  const { bavail, bsize } = statfsSync(disk)
  const handle = openSync(file, 'w')
  for (let rest = bavail * bsize - leave; rest > 0; rest -= 65_536) writeSync(handle, Buffer.alloc(Math.min(rest, 65_536)))
  fsyncSync(handle)
  closeSync(handle)
  return () => rmSync(file)
}

async function peerOnDisk(): Promise<TestPeer> {
  const peer = await preparePeer({ data: join(disk, 'data') })
  onTestFinished(async () => {
    await peer.dispose()
    rmSync(peer.data, { recursive: true, force: true })
    rmSync(join(disk, 'filler'), { force: true })
  })
  return peer
}

test.runIf(canMount).each([[50_000], [800_000]])(
  'a disk that is full but for %i bytes stops the peer with one readable message, and with room again everything acknowledged is there',
  { timeout: 240_000 },
  async (leave) => {
    const peer = await peerOnDisk()
    await peer.start()
    const chain = new ChainFollower()
    const makeRoom = fill(leave)
    const load = new Load(peer.client, randomFrom(leave))
    const { code, stdout, stderr } = await peer.program.ended
    const { accepted, committed } = await load.stop()
    expect({ code, stdout }, stderr).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/the store could not write and takes nothing more: .*(No space left|space)/)
    expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+/m)

    // Without room it does not start, and says so.
    const again = await peer.launch().ended
    expect(again.code, again.stderr).toBe(1)
    expect(again.stderr).toMatch(/Error: .*space/)

    makeRoom()
    await expectSound(peer, '--offline')
    await peer.start()
    await peer.program.until('what was accepted is committed', async () => {
      await chain.follow(peer.client)
      return [...accepted].every((txid) => chain.positions.has(txid))
    })
    expect([...committed.keys()].filter((txid) => !chain.positions.has(txid))).toEqual([])
    expect(chain.twice).toEqual([])
    expect(await chain.wrongBalances(peer.client)).toEqual([])
    await expectSound(peer)
  },
)

test.runIf(canMount)('a peer that starts for the first time on a full disk says so', { timeout: 240_000 }, async () => {
  const makeRoom = fill(0)
  const peer = await peerOnDisk()
  const { code, stderr } = await peer.launch().ended
  expect(code).toBe(1)
  expect(stderr).toMatch(/Error: .*space/i)
  makeRoom()
  await peer.start()
})
