import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { packageFolder } from '../../plugins/terminal/index.js'

const directory = mkdtempSync(join(tmpdir(), 'weft-packages-'))
const cwd = join(directory, 'site', 'below')
const addPackage = (folder: string): string => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{}')
  return folder
}

it('a package is found by its name from the working directory upwards, and by its folder, whether or not it is written like one', () => {
  const installed = addPackage(join(directory, 'site', 'node_modules', '@some', 'engine'))
  const folder = addPackage(join(cwd, 'engines', 'mine'))
  expect(packageFolder('--with', '@some/engine', cwd)).toBe(installed)
  for (const named of ['./engines/mine', 'engines/mine', folder, '../below/engines/mine']) expect(packageFolder('--with', named, cwd)).toBe(folder)
})

it('what is none is refused with what was found', () => {
  mkdirSync(join(cwd, 'empty'), { recursive: true })
  const refusal = (named: string): unknown => {
    try {
      return packageFolder('--with', named, cwd)
    } catch (error) {
      return error
    }
  }
  expect(refusal('engine')).toMatchObject({
    code: 'ERR_USAGE',
    message: expect.stringContaining(`engine is neither in a node_modules from ${cwd} upwards nor a folder`),
  })
  expect(refusal('./engine')).toMatchObject({ message: expect.stringContaining(`${join(cwd, 'engine')} is not there`) })
  expect(refusal('empty')).toMatchObject({ message: expect.stringContaining(`${join(cwd, 'empty')} has no package.json`) })
})
