import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { packArchive, unpackArchive } from '../../../plugins/chaincode/node/archive.js'
import { packChaincode } from '../../../plugins/chaincode/node/pack.js'
import { readTar, writeTar } from '../../../plugins/chaincode/node/tar.js'
import { inputOf, withSource } from './packages.js'

const MAX = 4 * 1024 * 1024
const SOURCE = `import { type Chaincode, ChaincodeError } from 'weft/chaincode'\nimport { greeting } from './part.js'\nexport default { invoke() { throw new ChaincodeError('x', greeting) } } satisfies Chaincode\n`
const PART = { 'part.ts': 'export const greeting: string = "hello"\n' }
const pack = (source: string, files: Readonly<Record<string, string>> = {}, input = inputOf('init')) =>
  withSource(source, (file) => packChaincode(file, input, MAX), files)

describe('a code package', () => {
  it('has the same bytes and name wherever its source lies, and no paths in it', async () => {
    const [first, second] = [await pack(SOURCE, PART), await pack(SOURCE, { ...PART, 'tsconfig.json': '{"compilerOptions":{"target":"es5","jsx":"react"}}' })]
    expect(Buffer.from(first.bytes).equals(second.bytes)).toBe(true)
    expect(first.name).toBe(second.name)
    const text = gunzipSync(first.bytes).toString()
    expect(text).toContain('hello')
    for (const trace of [process.cwd(), 'weft-chaincode-', 'node_modules']) expect(text).not.toContain(trace)
  })

  it('is named as v0.6 names Go code: SHAKE256 over the bundle and the hash of the constructor message', async () => {
    const input = inputOf('init', 'a')
    const { name, bytes } = await pack(SOURCE, PART, input)
    const shake = (...parts: Uint8Array[]) => parts.reduce((hash, part) => hash.update(part), createHash('shake256', { outputLength: 64 })).digest()
    expect(name).toBe(shake(await unpackArchive(bytes, MAX), shake(input)).toString('hex'))
    expect(name).not.toBe((await pack(SOURCE, PART, inputOf('init', 'b'))).name)
  })

  it.each([
    ['node:fs', 'import "node:fs"', 'cc.ts imports node:fs'],
    ['fs', 'import { readFileSync } from "fs"; readFileSync("x")', 'cc.ts imports fs'],
    ['a dynamic built-in', 'await import("node:net")', 'cc.ts imports node:net'],
    ['weft itself', 'import { Peer } from "weft"; new Peer()', 'but not weft'],
    ['what does not exist', 'import "./missing.js"', 'Could not resolve "./missing.js"'],
    ['what does not parse', 'export default {', 'cc.ts:1: Expected identifier'],
  ])('cannot import %s, and the error names file and import', async (_, source, text) => {
    await expect(pack(source)).rejects.toMatchObject({ code: 'ERR_CHAINCODE_PACKAGE', message: expect.stringContaining(text) })
  })

  it('names the file of a built-in that is imported deeper', async () => {
    await expect(pack('import "./part.js"', { 'part.ts': 'import "node:os"' })).rejects.toThrow('part.ts imports node:os')
  })

  it('shows nothing of a file that is not source', async () => {
    await expect(packChaincode('/etc/passwd', inputOf('init'), MAX)).rejects.toThrow('no chaincode source at /etc/passwd')
  })

  it('is refused without path or arguments, with the texts of v0.6', async () => {
    await expect(packChaincode('', inputOf('init'), MAX)).rejects.toThrow('Cannot generate hashcode from empty chaincode path')
    await expect(pack(SOURCE, PART, inputOf())).rejects.toThrow('Cannot generate hashcode from empty ctor')
  })

  it('is refused above the limit', async () => {
    await expect(withSource(SOURCE, (file) => packChaincode(file, inputOf('init'), 100), PART)).rejects.toThrow('more than 100')
  })
})

describe('unpacking what anybody may have made', () => {
  const bundle = Buffer.from('export default 1')
  const manifest = { name: 'package.json', bytes: Buffer.from('{"weft":{"api":1}}') }
  const packed = (...files: { name: string; bytes: Uint8Array }[]) => gzipSync(writeTar(files))

  it('returns the bundle', async () => {
    expect(Buffer.from(await unpackArchive(packArchive(bundle), MAX)).toString()).toBe('export default 1')
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['no gzip', Buffer.from('PK\x03\x04')],
    ['a truncated gzip', Buffer.from(packArchive(bundle)).subarray(0, 60)],
    ['a bomb', gzipSync(Buffer.alloc(64 * 1024 * 1024))],
    ['no tar', gzipSync(Buffer.alloc(2048, 65))],
    ['no manifest', packed({ name: 'chaincode.mjs', bytes: bundle })],
    ['no bundle', packed(manifest)],
    ['a third file', packed({ name: 'chaincode.mjs', bytes: bundle }, manifest, { name: 'extra', bytes: bundle })],
    ['a file twice', packed(manifest, manifest)],
    ['a manifest that is not JSON', packed({ name: 'chaincode.mjs', bytes: bundle }, { name: 'package.json', bytes: Buffer.from('{') })],
    ['another API', packed({ name: 'chaincode.mjs', bytes: bundle }, { name: 'package.json', bytes: Buffer.from('{"weft":{"api":2}}') })],
    ['a bundle that is too long', packed({ name: 'chaincode.mjs', bytes: Buffer.alloc(4097) }, manifest)],
  ])('refuses %s', async (_, bytes) => {
    await expect(unpackArchive(bytes, 4096)).rejects.toMatchObject({ code: 'ERR_CHAINCODE_PACKAGE' })
  })

  it.each(['../escape', '/etc/passwd', 'a/b', 'c:\\d'])('refuses the name %s', (name) => {
    const tar = Buffer.from(writeTar([{ name: 'x', bytes: bundle }]))
    tar.fill(0, 0, 100)
    tar.write(name)
    tar.fill(0x20, 148, 156)
    tar.write(
      `${tar
        .subarray(0, 512)
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    )
    expect(() => readTar(tar, 2)).toThrow('not a plain file name')
  })

  it('refuses links, damage and trailing bytes', () => {
    const tar = Buffer.from(writeTar([{ name: 'x', bytes: bundle }]))
    const link = Buffer.from(tar)
    link[156] = 0x32
    link.fill(0x20, 148, 156)
    link.write(
      `${link
        .subarray(0, 512)
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    )
    expect(() => readTar(link, 2)).toThrow('not a regular file')
    const damaged = Buffer.from(tar)
    damaged[0] = 0x79
    expect(() => readTar(damaged, 2)).toThrow('damaged')
    expect(() => readTar(Buffer.concat([tar, Buffer.from('x')]), 2)).toThrow('after the last file')
    expect(() => readTar(tar.subarray(0, 515), 2)).toThrow('cut off')
  })
})
