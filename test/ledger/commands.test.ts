import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Peer, createSite } from '../../kernel/index.js'
import { createLogging } from '../../plugins/logging/index.js'
import grpc from '../../plugins/grpc/index.js'
import ledger, { LEDGER } from '../../plugins/ledger/index.js'
import level, { openLevelStore, storeDirectory } from '../../plugins/level/index.js'
import { be64 } from '../../plugins/ledger/bytes.js'
import { runPeer } from '../kernel/cli/run-peer.js'
import { tempSite } from '../kernel/config/temp-site.js'

const temporary = () => mkdtempSync(join(tmpdir(), 'weft-ledger-'))

/** A working directory with a site of store and ledger that keeps its data in `path`. */
const siteIn = (path: string, more = '') =>
  tempSite({ 'peer.config.yaml': `plugins: [weft/plugins/grpc, weft/plugins/level, weft/plugins/ledger]\npeer:\n  fileSystemPath: ${path}\n${more}` })

const silent = createLogging({ spec: 'critical', stream: { write: () => true } })

async function start(fileSystemPath: string, plugins = [level, ledger]) {
  const site = createSite({ plugins: [grpc, ...plugins] })
    .with('peer.fileSystemPath', fileSystemPath, 'test')
    .with('peer.listenAddress', '127.0.0.1:0', 'test')
  const peer = new Peer(site, { logging: silent })
  await peer.start()
  return peer
}

describe('peer ledger', () => {
  it('says that there is no ledger', async () => {
    const cwd = siteIn(join(temporary(), 'nothing'))
    expect(await runPeer(cwd, ['ledger', 'info'])).toMatchObject({ exit: 1, stderr: expect.stringContaining('expected a ledger in') })
  })

  it('shows and verifies the ledger of a peer that has stopped, and names what is broken', async () => {
    const path = temporary()
    const cwd = siteIn(path)
    const peer = await start(path)
    await peer.stop()
    const info = await runPeer(cwd, ['ledger', 'info', '--json'])
    expect(info.stderr).toBe('')
    expect(JSON.parse(info.stdout)).toMatchObject({ height: 1, stateHeight: 1, stateHash: '', currentBlockHash: expect.stringMatching(/^46b9dd2b/) })
    expect(await runPeer(cwd, ['ledger', 'verify'])).toMatchObject({ exit: 0, stdout: '1 of 1 blocks and 0 keys checked: the ledger is sound\n' })
    const store = await openLevelStore(storeDirectory(path))
    const batch = store.batch()
    batch.put(store.namespace('indexes'), Buffer.concat([Buffer.from([2]), Buffer.from('t')]), Buffer.from([0, 0]))
    batch.put(store.namespace('state-0'), Buffer.from([1, 1, 99, 0, 107]), be64(1n))
    await store.commit(batch, 'block')
    await store.close()
    const broken = await runPeer(cwd, ['ledger', 'verify', '--json'])
    expect(broken.exit).toBe(1)
    expect(JSON.parse(broken.stdout).faults).not.toEqual([])
  })

  it('asks the peer that runs on the store', async () => {
    const path = temporary()
    const addresses: string[] = []
    const spy = {
      name: 'spy',
      requires: [LEDGER],
      apply: (host: Parameters<typeof ledger.apply>[0]) => host.hooks.start.tap(async ({ listeners }) => void addresses.push(listeners.get('peer').address)),
    }
    const peer = await start(path, [level, ledger, spy])
    try {
      const cwd = siteIn(path, `  address: ${addresses[0]}\n`)
      expect((await runPeer(cwd, ['ledger', 'verify', '--offline'])).exit).toBe(1)
      expect(await runPeer(cwd, ['ledger', 'verify'])).toMatchObject({ exit: 0, stderr: '', stdout: '1 of 1 blocks and 0 keys checked: the ledger is sound\n' })
      expect((await runPeer(cwd, ['ledger', 'info'])).stdout).toMatch(/^height {9}1\nhead {11}46b9dd2b/)
    } finally {
      await peer.stop()
    }
  })
})
