import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runPeer } from '../kernel/cli/run-peer.js'

// In real time, on a busy machine.
const ENGINE = `import { defineEngine, engineOptions, integerOption } from 'weft/consensus'
const parseOptions = engineOptions('loom', { batchSize: integerOption(500) })
export default defineEngine({ name: 'loom', version: '1.0.0', agreement: true, tolerates: () => ({ crashed: 0, byzantine: 0 }), parseOptions, create: () => ({}) })
`

/** A directory with a site that has an engine of its own. */
function siteWith(consensus: string, engine: string): string {
  const cwd = mkdtempSync(join(tmpdir(), 'weft-check-config-'))
  writeFileSync(join(cwd, 'loom.ts'), ENGINE)
  const lines = [
    "import { defineConfig } from 'weft'",
    "import site from 'weft/peer.config'",
    `export default defineConfig({ ...site, plugins: [...(site.plugins ?? []), './loom.ts'], consensus: ${consensus}, peer: { fileSystemPath: './data', validator: { consensus: { plugin: '${engine}' } } } })`,
  ]
  writeFileSync(join(cwd, 'peer.config.ts'), lines.join('\n'))
  return cwd
}

describe('peer config check', () => {
  test('reads the options of the configured engine as it does: what would fail the start is an error', async () => {
    const { exit, stdout, stderr } = await runPeer(siteWith('{ options: { loom: { batchSize: 0, foo: 3 } } }', 'loom'), ['config', 'check'])
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' })
    expect(stderr).toContain(
      'the options of loom are wrong: batchSize: expected a whole number from 1 to 2147483647, found 0; foo: unknown; there are batchSize',
    )
    const doctor = await runPeer(siteWith('{ options: { loom: { foo: 3 } } }', 'loom'), ['doctor', 'config'])
    expect(doctor).toMatchObject({ exit: 1, stdout: expect.stringContaining('foo: unknown; there are batchSize') })
  })

  test('is a part of peer doctor', async () => {
    const { stdout } = await runPeer(siteWith('{ options: { loom: { foo: 3 } } }', 'loom'), ['doctor'])
    expect(stdout).toMatch(/^failure +config +peer\.validator\.consensus\.plugin .*foo: unknown; there are batchSize/m)
  })

  test('warns of options for engines that the site has not got, and of wrong ones of others', async () => {
    const cwd = siteWith('{ options: { lom: {}, loom: { batchSize: -1 } } }', 'noops')
    const { exit, stdout } = await runPeer(cwd, ['config', 'check', '--json'])
    expect(exit).toBe(0)
    const { notes }: { notes: { level: string; message: string }[] } = JSON.parse(stdout)
    const about = (word: string) => notes.filter(({ message }) => message.includes(word))
    expect(about("no engine 'lom', did you mean loom")).toMatchObject([{ level: 'warning' }])
    expect(about('batchSize: expected a whole number')).toMatchObject([{ level: 'warning' }])
  })

  test('names an engine that is nowhere, and is content with a good site', async () => {
    expect(await runPeer(siteWith('{}', 'lume'), ['config', 'check'])).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining("this site has no engine 'lume'"),
    })
    expect(await runPeer(siteWith('{ options: { loom: { batchSize: 7 } } }', 'LOOM'), ['config', 'check'])).toMatchObject({ exit: 0, stderr: '' })
  })

  test.each([
    ['pbft.general.f=2', 'pbft.general.N=4', 'options of pbft'],
    ['pbft.general.mode=classic', 'pbft.general.N=4', 'expected batch'],
  ])('knows the keys of pbft: %s, %s', async (one, other, said) => {
    const args = ['config', 'check', '--set', one, '--set', other, '--set', 'peer.validator.consensus.plugin=pbft']
    const { exit, stderr } = await runPeer(mkdtempSync(join(tmpdir(), 'weft-check-config-')), args)
    expect(exit).toBe(1)
    expect(stderr).toContain(said)
  })
})
