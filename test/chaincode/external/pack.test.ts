import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { packagers } from '../../../plugins/chaincode/external/source/pack.js'
import { golangName } from '../../../plugins/chaincode/peer/packaging/chaincode-name.js'
import { ChaincodeInput, encode } from '../../../proto/index.js'

const INPUT = encode(ChaincodeInput, { args: [Buffer.from('init')] })
let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'weft-pack-'))
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

function write(path: string, text: string): string {
  const file = join(root, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}

function settings(goPath: string, goCommand = 'go', fetchLimitMs = 5000) {
  const dockerfiles = { golang: 'FROM go\n', java: 'FROM java\n', car: 'FROM car\n' }
  return packagers({ goPath, goCommand, fetchLimitMs, build: { architecture: 'amd64', projectVersion: '0.6.1' }, dockerfiles })
}

describe('source of Go chaincode', () => {
  it('is read below the first workspace of GOPATH and named as v0.6 names it', async () => {
    write('one/src/example.com/cc/main.go', 'package main\n')
    const { golang } = settings(`${join(root, 'one')}:${join(root, 'two')}`)
    const expected = golangName('example.com/cc', INPUT, [{ path: 'main.go', bytes: Buffer.from('package main\n') }])
    await expect(golang('example.com/cc', INPUT)).resolves.toMatchObject({ name: expected })
    await expect(golang('example.com/cc/', INPUT)).resolves.toMatchObject({ name: expected })
  })

  it('must be there, below a workspace', async () => {
    write('one/src/example.com/cc/main.go', 'package main\n')
    write('secret/file', 'secret')
    const { golang } = settings(join(root, 'one'))
    await expect(golang('', INPUT)).rejects.toThrow('Cannot generate hashcode from empty chaincode path')
    await expect(golang('example.com/missing', INPUT)).rejects.toThrow('code does not exist')
    for (const path of ['../../secret', 'example.com/../../../secret', '/etc', './example.com/cc', 'example.com//cc']) {
      await expect(golang(path, INPUT), path).rejects.toThrow('expected an import path')
    }
    await expect(settings('').golang('example.com/cc', INPUT)).rejects.toThrow('GOPATH is not set')
  })

  it('is fetched with go get into a workspace of its own when the path is a URL', async () => {
    mkdirSync(join(root, 'one/src'), { recursive: true })
    const go = write('go', '#!/bin/sh\nIFS=:\nset -- "$@" $GOPATH\nmkdir -p "$4/src/$3"\nprintf "package main\\n" > "$4/src/$3/main.go"\n')
    chmodSync(go, 0o755)
    const { name } = await settings(join(root, 'one'), go).golang('https://example.com/cc', INPUT)
    expect(name).toBe(golangName('example.com/cc', INPUT, [{ path: 'main.go', bytes: Buffer.from('package main\n') }]))
  })

  it('that cannot be fetched, or not in time, fails the deploy', async () => {
    mkdirSync(join(root, 'one/src'), { recursive: true })
    const broken = write('broken', '#!/bin/sh\necho no such repository >&2\nexit 1\n')
    const slow = write('slow', '#!/bin/sh\nexec sleep 60\n')
    for (const file of [broken, slow]) chmodSync(file, 0o755)
    await expect(settings(join(root, 'one'), broken).golang('http://example.com/cc', INPUT)).rejects.toThrow(/Error getting chaincode: .*no such repository/s)
    await expect(settings(join(root, 'one'), slow, 200).golang('http://example.com/cc', INPUT)).rejects.toThrow('Getting chaincode took too long')
  })
})

describe('source of Java and car chaincode', () => {
  it('is a folder with a build file', async () => {
    write('project/build.gradle', '')
    const { java } = settings('')
    await expect(java(join(root, 'project'), INPUT)).resolves.toMatchObject({ name: expect.stringMatching(/^[0-9a-f]{128}$/) })
    await expect(java(join(root, 'missing'), INPUT)).rejects.toThrow('code does not exist')
    await expect(java('', INPUT)).rejects.toThrow('Cannot generate hashcode from empty chaincode path')
  })

  it('is one archive', async () => {
    const { car } = settings('')
    await expect(car(write('a.car', 'car'), INPUT)).resolves.toMatchObject({ name: expect.stringMatching(/^[0-9a-f]{128}$/) })
    await expect(car(join(root, 'missing.car'), INPUT)).rejects.toThrow('code does not exist')
  })
})
