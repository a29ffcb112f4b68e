import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type BuildSettings, packCar, packGolang, packJava } from '../../../plugins/chaincode/peer/packaging/code-package.js'
import { carName, golangName, javaName } from '../../../plugins/chaincode/peer/packaging/chaincode-name.js'
import { type SourceFile, readSourceFiles } from '../../../plugins/chaincode/peer/packaging/source-files.js'
import { bytes } from './kit.js'

interface NameCase {
  readonly description: string
  readonly platform: 'GOLANG' | 'JAVA' | 'CAR' | 'NODE'
  readonly ctorMsgHex?: string
  readonly path?: string
  readonly files?: readonly { readonly path: string; readonly contentHex: string }[]
  readonly fileHex?: string
  readonly name?: string
  readonly error?: string
}

const hex = (text = '') => Buffer.from(text, 'hex')
const filesOf = (files: readonly { readonly path: string; readonly contentHex: string }[] = []): SourceFile[] =>
  files.map(({ path, contentHex }) => ({ path, bytes: hex(contentHex) }))
const { cases }: { cases: NameCase[] } = JSON.parse(readFileSync('test/vectors/chaincode/chaincode-names.json', 'utf8'))
const settings: BuildSettings = { dockerfile: 'FROM base:$(ARCH)-$(PROJECT_VERSION)\n', architecture: 'amd64', projectVersion: '0.6.2' }

function nameOf({ platform, path = 'dir', ctorMsgHex, files, fileHex }: NameCase): string {
  if (platform === 'CAR') return carName(path, hex(ctorMsgHex), hex(fileHex))
  if (platform === 'JAVA') return packJava(path, hex(ctorMsgHex), filesOf(files), settings).name
  return golangName(path, hex(ctorMsgHex), filesOf(files))
}

describe('names of chaincode', () => {
  const known = cases.filter(({ platform }) => platform !== 'NODE')
  it.each(known.map((each) => [each.description, each] as const))('are those of v0.6: %s', (_description, each) => {
    if (each.error !== undefined) expect(() => nameOf(each)).toThrow(each.error)
    else expect(nameOf(each)).toBe(each.name)
  })

  it('are those of the ledger vectors', () => {
    const { golang, java, car } = JSON.parse(readFileSync('test/vectors/ledger/chaincode_name_hash.json', 'utf8'))
    const all = filesOf(golang.files)
    for (const { path, ctorMsgHex, chaincodeName } of golang.cases) {
      const below = path.replace(/\/$/, '').slice(golang.root.length + 1)
      const files = all
        .filter((file) => file.path.startsWith(below))
        .map((file) => ({ ...file, path: below === '' ? file.path : file.path.slice(below.length + 1) }))
      expect(golangName(path, hex(ctorMsgHex), files)).toBe(chaincodeName)
    }
    expect(javaName('dir', hex('0a04696e69740a0161'), filesOf(java.filesInVisitOrder))).toBe(java.chaincodeName)
    expect(carName('a.car', hex(car.ctorMsgHex), hex(car.archiveContentHex))).toBe(car.chaincodeName)
  })

  it('need a path', () => {
    expect(() => golangName('', bytes('\n\u0001a'), [])).toThrow('Cannot generate hashcode from empty chaincode path')
  })
})

/** Names of a tar's entries, in order, and the contents of those asked for. */
function entries(packed: Uint8Array): Map<string, string> {
  const tar = gunzipSync(packed)
  const found = new Map<string, string>()
  const field = (at: number, length: number) => tar.toString('latin1', at, at + length).replace(/\0.*$/s, '')
  for (let at = 0; tar[at] !== 0; ) {
    const size = Number.parseInt(field(at + 124, 12), 8)
    const prefix = field(at + 345, 155)
    expect(field(at + 136, 12)).toBe('00000000000')
    found.set(`${prefix === '' ? '' : `${prefix}/`}${field(at, 100)}`, tar.toString('utf8', at + 512, at + 512 + size))
    at += 512 + Math.ceil(size / 512) * 512
  }
  return found
}

describe('code packages', () => {
  const input = bytes('\n\u0004init')
  const sources = [
    { path: 'b.go', bytes: bytes('b') },
    { path: 'a/x.txt', bytes: bytes('x') },
  ]

  it('of Go hold the chaincode, the Dockerfile, and the workspace without the rest', () => {
    const deep = `github.com/${'d'.repeat(90)}/f.go`
    const workspace = ['example.com/cc/b.go', 'github.com/shim/shim.go', 'github.com/shim/README.md', 'github.com/.git/x.go', deep].map((path) => ({
      path,
      bytes: bytes(path),
    }))
    const { name, bytes: packed } = packGolang('https://example.com/cc/', input, sources, workspace, {
      ...settings,
      tls: { certificate: bytes('PEM'), file: '/etc/cert.pem' },
    })
    const found = entries(packed)
    expect([...found.keys()]).toEqual([
      'src/example.com/cc/a/x.txt',
      'src/example.com/cc/b.go',
      'Dockerfile',
      `src/${deep}`,
      'src/github.com/shim/shim.go',
      'src/certs/cert.pem',
    ])
    expect(found.get('Dockerfile')).toBe(
      `FROM base:x86_64-0.6.2\nRUN go install example.com/cc && cp src/github.com/hyperledger/fabric/peer/core.yaml $GOPATH/bin && mv $GOPATH/bin/cc $GOPATH/bin/${name}\nCOPY src/certs/cert.pem /etc/cert.pem\n`,
    )
  })

  it('of Java hold the project twice, the second time without classes', () => {
    const project = [...sources, { path: 'pom.xml', bytes: bytes('m') }, { path: 'build.gradle', bytes: bytes('g') }, { path: 'A.class', bytes: bytes('c') }]
    const found = entries(packJava('/home/me/demo', input, project, settings).bytes)
    expect([...found.keys()]).toEqual([
      'demo/A.class',
      'demo/a/x.txt',
      'demo/b.go',
      'demo/build.gradle',
      'demo/pom.xml',
      'Dockerfile',
      'src/a/x.txt',
      'src/b.go',
      'src/build.gradle',
      'src/pom.xml',
    ])
    expect(found.get('Dockerfile')).toContain('gradle -b build.gradle')
    expect(() => packJava('/demo', input, sources, settings)).toThrow('Build file not found')
  })

  it('of a car hold the Dockerfile and the archive', () => {
    expect([...entries(packCar('demo.car', input, bytes('car'), settings).bytes).keys()]).toEqual(['Dockerfile', 'package.car'])
  })

  it('have the same bytes every time', () => {
    const pack = () => packGolang('example.com/cc', input, sources, [], settings).bytes
    expect(Buffer.compare(pack(), pack())).toBe(0)
  })

  it('cannot hold paths that are too long for a tar', () => {
    expect(() => packGolang('example.com/cc', input, [{ path: 'x'.repeat(200), bytes: bytes('') }], [], settings)).toThrow('too long')
  })
})

describe('reading source from a directory', () => {
  it('takes every file in visiting order, within bounds, and no links', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'weft-source-'))
    try {
      await mkdir(join(directory, 'a'))
      for (const path of ['.hidden', 'B.txt', 'a/x.txt', 'a.txt', 'a-b.txt']) await writeFile(join(directory, path), path)
      const files = await readSourceFiles(directory, { maxFiles: 10, maxBytes: 1000 })
      expect(files.map(({ path }) => path)).toEqual(['.hidden', 'B.txt', 'a/x.txt', 'a-b.txt', 'a.txt'])
      await expect(readSourceFiles(directory, { maxFiles: 4, maxBytes: 1000 })).rejects.toThrow('cannot be packaged')
      await expect(readSourceFiles(directory, { maxFiles: 10, maxBytes: 8 })).rejects.toThrow('cannot be packaged')
      await symlink('/etc/passwd', join(directory, 'link'))
      await expect(readSourceFiles(directory, { maxFiles: 10, maxBytes: 1000 })).rejects.toThrow('link in')
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})
