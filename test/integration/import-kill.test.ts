import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { archiveOf, ledgerOf } from '../ledger/archive-kit.js'
import { randomFrom } from './support/load.js'
import { preparePeer } from './support/peer.js'
import { Program, pause } from './support/program.js'
import { expectSound, ledgerInfo } from './support/verify.js'

/** WEFT_KILLS=100 for the long run; WEFT_SEED repeats the moments of a run, as far as real processes can be repeated. */
const KILLS = Number(process.env['WEFT_KILLS'] ?? 10)
const SEED = Number(process.env['WEFT_SEED'] ?? Date.now() % 1_000_000)

test(`an import that is killed ${KILLS} times leaves no store or a whole one (WEFT_SEED=${SEED})`, { timeout: 240_000 + KILLS * 60_000 }, async () => {
  const random = randomFrom(SEED)
  const { ledger } = await ledgerOf({}, 1500)
  const peer = await preparePeer()
  onTestFinished(() => peer.dispose())
  const file = join(peer.directory, 'ledger.weft')
  writeFileSync(file, await archiveOf(ledger))
  const store = join(peer.data, 'db')
  const command = ['ledger', 'import', file]

  const undisturbed = performance.now()
  expect((await peer.cli(...command)).code).toBe(0)
  // Moments all over an import, and a little after it.
  const durationMs = performance.now() - undisturbed
  rmSync(peer.data, { recursive: true })

  let wholeStores = 0
  let begun = 0
  for (let kill = 1; kill <= KILLS; kill++) {
    const program = new Program(command, peer.options)
    // From its beginning on, not while Node starts.
    while (program.isRunning && !existsSync(join(peer.data, 'db-import', 'CURRENT'))) await pause(2)
    await pause(random() * durationMs)
    program.signal('SIGKILL')
    const { code, stderr } = await program.ended
    if (existsSync(store)) {
      wholeStores++
      expect(await expectSound(peer, '--offline')).toBe(1501n)
      expect((await peer.cli('ledger', 'import', file)).stderr).toContain('expected no ledger in')

      rmSync(peer.data, { recursive: true })
    } else {
      expect({ code, stderr }).toEqual({ code: null, stderr: '' })
      begun++
    }
  }

  const last = await peer.cli(...command, '--json')
  expect(last.code, last.stderr).toBe(0)
  expect(JSON.parse(last.stdout)).toMatchObject({ height: 1501, keys: 1502, uncovered: 0 })
  expect(readdirSync(peer.data)).toEqual(['db'])
  expect(await expectSound(peer)).toBe(1501n)
  await peer.start()
  expect((await ledgerInfo(peer)).currentBlockHash).toBe(Buffer.from(ledger.info().currentBlockHash).toString('hex'))
  const { outcome } = await peer.client.invokeAndWait('example02', 'invoke', 'a', 'b', '1')
  expect(outcome).toMatchObject({ status: 'committed', block: 1501n })
  process.stdout.write(`${KILLS} kills: ${begun} left no store, ${wholeStores} a whole one\n`)
})
