import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../kernel/index.js'
import { createDevBuilder } from '../../plugins/engine-authoring/dev/build.js'
import { loadEngine } from '../../plugins/engine-authoring/index.js'
import { inProcess } from '../../plugins/consensus/session/runner.js'
import { EngineLoader } from '../../plugins/engines/engine-package.js'
import { InstalledEngines } from '../../plugins/engines/installed.js'
import { installEngine } from '../../plugins/engines/install.js'
import { defaultProcessLimits } from '../../plugins/engines/process/limits.js'
import { thrownText } from '../../plugins/loader/index.js'
import { silentLogger } from '../kit/silent-logger.js'
import { startAt, witness } from './kit.js'

const MANIFEST = { name: 'weft-engine-lost', version: '1.0.0', type: 'module', exports: './dist/index.js', peerDependencies: { weft: '^0.1.0' } }
const ENGINE = `import { defineEngine } from 'weft/consensus'
import { refuse } from './deep/refuse.js'

interface Options { readonly word: string }

const parseOptions = (): Options => ({ word: 'boom' })
export default defineEngine<Options>({
  name: 'lost', version: '1.0.0', agreement: true, tolerates: () => ({ crashed: 0, byzantine: 0 }), parseOptions,
  create: (_host, { word }) => ({
    onPeer() {
      refuse(word)
    },
  }),
})
`
const REFUSE = `/** Types that are gone when it runs move every line. */
export interface Unused { readonly word: string }

export function refuse(word: string): never {
  throw new Error(word)
}
`
const PLACES = /^the engine threw in 'peer': boom at refuse \(src\/deep\/refuse\.ts:5:\d+\) at onPeer \(src\/index\.ts:11:\d+\)$/

let scratch = ''
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'weft-places-test-'))
  await mkdir(join(scratch, 'src', 'deep'), { recursive: true })
  await writeFile(join(scratch, 'package.json'), JSON.stringify(MANIFEST))
  await writeFile(join(scratch, 'src', 'index.ts'), ENGINE)
  await writeFile(join(scratch, 'src', 'deep', 'refuse.ts'), REFUSE)
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

it('an isolated engine that throws says where in the files of its author, through the maps that its package brings', async () => {
  const builder = await createDevBuilder(scratch, join(scratch, '.builds'))
  const { file } = await builder.build()
  await builder.dispose()
  const loader = new EngineLoader({ ...defaultProcessLimits, sandbox: 'none' }, silentLogger, systemClock)
  const installed = new InstalledEngines(join(scratch, 'data'))
  await installEngine(file, [installed], loader)
  const [only] = await installed.list()
  const loaded = await loader.load(only?.folder ?? '')
  const seen = witness()
  const seat = loader.isolated(loaded, { options: {} }).seat({})(seen.options)
  seat.begin(startAt(1n))
  seat.post({ type: 'peer', member: 1, up: true })
  await seen.until(() => seen.faults.length > 0)
  expect(seen.faults).toEqual([expect.stringMatching(PLACES)])
  await seat.dispose()
})

it('an engine that is run from its sources says the same', async () => {
  const { factory } = await loadEngine({ file: join(scratch, 'src', 'index.ts'), home: undefined })
  const seen = witness()
  const seat = inProcess(factory, factory.parseOptions({}))(seen.options)
  seat.begin(startAt(1n))
  seat.post({ type: 'peer', member: 1, up: true })
  expect(seen.faults).toEqual([expect.stringMatching(/^the engine threw in 'peer': boom at refuse \(deep\/refuse\.ts:5:\d+\) at onPeer \(index\.ts:11:\d+\)/)])
})

it('what is no error, and a stack without measure, give a short text', () => {
  const here = (): string => 'here'
  expect(thrownText('words', here)).toBe('words')
  const endless = Object.assign(new Error('x'.repeat(10_000)), { stack: `    at f (${'y'.repeat(1_000_000)}:1:1)\n`.repeat(3) })
  expect(thrownText(endless, here)).toBe(`${'x'.repeat(999)}…`)
  expect(thrownText(Object.assign(new Error('odd'), { stack: 7 }), here)).toBe('odd')
})
