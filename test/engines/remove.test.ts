import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../kernel/index.js'
import { createDevnet, type Devnet } from '../../plugins/devnet/index.js'
import { EngineLoader } from '../../plugins/engines/engine-package.js'
import { installEngine } from '../../plugins/engines/install.js'
import { InstalledEngines } from '../../plugins/engines/installed.js'
import { defaultProcessLimits } from '../../plugins/engines/process/limits.js'
import { freePorts } from '../integration/support/ports.js'
import { runPeer } from '../kernel/cli/run-peer.js'
import { silentLogger } from '../kit/silent-logger.js'
import { packageFolder } from './kit.js'

// `peer engine remove --all`, on a devnet of which nothing runs.
let scratch = ''
let devnet: Devnet
const engines = (): InstalledEngines[] => devnet.peers.map(({ data }) => new InstalledEngines(data))
const counts = async (): Promise<number[]> => Promise.all(engines().map(async (each) => (await each.list()).length))
const remove = (...words: readonly string[]): ReturnType<typeof runPeer> => runPeer(scratch, ['engine', 'remove', 'echo@1.2.3', '--all', ...words])

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'weft-engines-remove-'))
  const base = join(scratch, 'peer.config.json')
  await writeFile(base, JSON.stringify({ extends: 'weft/peer.config' }))
  const plan = { validators: 3, engine: 'pbft', tls: false, port: await freePorts(30), set: {} }
  devnet = await createDevnet(join(scratch, 'weft-devnet'), plan, base)
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

it('takes an engine from every validator that has it, or from none if one of them needs it', async () => {
  const loader = new EngineLoader({ ...defaultProcessLimits, sandbox: 'none' }, silentLogger, systemClock)
  const [first, , third] = engines()
  if (!first || !third) throw new Error('three validators')
  await installEngine(packageFolder('echo'), [first, third], loader)
  await third.begun('echo', '1.2.3')

  const refused = await remove()
  expect(refused).toMatchObject({ exit: 1, stdout: '', stderr: expect.stringMatching(/^Error: echo@1\.2\.3 is not removed: it ran last on vp2, which will need it\n/) })
  expect(await counts()).toEqual([1, 0, 1])

  await third.begun('pbft', '1.0.0')
  const removed = await remove()
  expect(removed).toMatchObject({
    exit: 0,
    stdout: 'removed echo@1.2.3 from weft-devnet/vp0/data\nremoved echo@1.2.3 from weft-devnet/vp2/data\n',
  })
  expect(await counts()).toEqual([0, 0, 0])

  const again = await remove()
  expect(again).toMatchObject({ exit: 1, stderr: expect.stringMatching(/^Error: echo@1\.2\.3 is installed on no validator of this devnet\n/) })
  const forced = await installEngine(packageFolder('echo'), [third], loader).then(() => remove('--force', '--json'))
  expect(JSON.parse(forced.stdout)).toEqual({ removed: 'echo@1.2.3', directories: [devnet.peers[2]?.data] })
})
