import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runPeer } from '../kernel/cli/run-peer.js'

const directory = (): string => mkdtempSync(join(tmpdir(), 'weft-engine-new-'))
const EXAMPLE = join(import.meta.dirname, '../../examples/engines/sequencer')

describe('peer engine new', () => {
  it('writes the example under another name, and says what comes next', async () => {
    const cwd = directory()
    const { exit, stdout, stderr } = await runPeer(cwd, ['engine', 'new', 'my-engine'])
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
    expect(stdout).toMatch(/^Wrote \d+ files of weft-engine-my-engine to my-engine\. Next:\n {2}cd my-engine\n/)
    const read = (path: string): string => readFileSync(join(cwd, 'my-engine', path), 'utf8')
    const original = readFileSync(join(EXAMPLE, 'src/index.ts'), 'utf8')
    expect(read('src/index.ts')).toBe(original.replaceAll('SEQUENCER', 'MY_ENGINE').replaceAll('sequencer', 'my-engine'))
    expect(read('test/my-engine.test.ts')).toContain('engineSuite(plugin.engine)')
    expect(read('.github/workflows/test.yml')).toContain('node: [20, 22, 24]')
    expect(JSON.parse(read('package.json'))).toMatchObject({
      name: 'weft-engine-my-engine',
      engines: { node: '>=20.19' },
      peerDependencies: { weft: '^0.1.0' },
      devDependencies: { weft: expect.stringMatching(/^file:\.\.\//), '@types/node': expect.any(String) },
    })
  })

  it('tells a program the same as JSON', async () => {
    const cwd = directory()
    const { exit, stdout } = await runPeer(cwd, ['engine', 'new', 'other', '--dir', 'engines/here', '--json'])
    expect({ exit, told: JSON.parse(stdout) }).toMatchObject({
      exit: 0,
      told: {
        name: 'other',
        package: 'weft-engine-other',
        directory: join(cwd, 'engines/here'),
        files: expect.arrayContaining(['src/index.ts', 'package.json']),
      },
    })
  })

  it('overwrites nothing', async () => {
    const cwd = directory()
    mkdirSync(join(cwd, 'mine'))
    writeFileSync(join(cwd, 'mine', 'notes.txt'), 'important')
    writeFileSync(join(cwd, 'file'), '')
    for (const name of ['mine', 'file']) {
      const { exit, stderr } = await runPeer(cwd, ['engine', 'new', name])
      expect({ exit, stderr }).toMatchObject({ exit: 1, stderr: expect.stringContaining(join(cwd, name)) })
    }
    expect(readFileSync(join(cwd, 'mine', 'notes.txt'), 'utf8')).toBe('important')
  })

  it.each([
    ['^0.1.0', '^0.1.0'],
    ['./weft.tgz', 'file:../weft.tgz'],
  ])('finds weft where --weft %s says', async (given, expected) => {
    const cwd = directory()
    writeFileSync(join(cwd, 'weft.tgz'), '')
    expect(await runPeer(cwd, ['engine', 'new', 'one', '--weft', given])).toMatchObject({ exit: 0 })
    expect(JSON.parse(readFileSync(join(cwd, 'one', 'package.json'), 'utf8'))).toMatchObject({ devDependencies: { weft: expected } })
  })

  it('says that the tarball of --weft is not there', async () => {
    expect(await runPeer(directory(), ['engine', 'new', 'one', '--weft', './none.tgz'])).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('none.tgz does not exist'),
    })
  })
})
