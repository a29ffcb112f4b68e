import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { type TlsMaterial, loadTls } from '../../plugins/tls/material.js'
import { checkServerContext } from '../../plugins/tls/context.js'
import { tlsSettings } from '../grpc/grpc-peer.js'
import { temporaryDirectory } from '../kernel/sites.js'
import { type Files, TestAuthority } from './certificates.js'

let authority: TestAuthority
let pair: Files
beforeAll(async () => {
  authority = await TestAuthority.make()
  pair = await authority.issue('server')
})

const load = (cert: string | undefined, key: string | undefined, more: Record<string, unknown> = {}): TlsMaterial | undefined => {
  const material = loadTls(tlsSettings({ 'peer.tls.enabled': true, 'peer.tls.cert.file': cert ?? '', 'peer.tls.key.file': key ?? '', ...more }))
  if (material !== undefined) checkServerContext(material)
  return material
}
const file = (text: string | Buffer): string => {
  const path = join(temporaryDirectory(), 'file.pem')
  writeFileSync(path, text)
  return path
}
const openssl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' })

describe('TLS files', () => {
  test('with the label of v0.6 key files are read', () => {
    const sec1 = openssl('ec', '-in', pair.key).replaceAll('EC PRIVATE KEY', 'ECDSA PRIVATE KEY')
    expect(sec1).toContain('BEGIN ECDSA PRIVATE KEY')
    expect(load(pair.cert, file(sec1))?.server.certificates[0].subject).toBe('CN=localhost')
  })

  test('may have text around the certificates, and Windows line ends', () => {
    const pem = readFileSync(pair.cert, 'utf8').replaceAll('\n', '\r\n')
    expect(load(file(`Subject: CN=localhost\r\n${pem}`), pair.key)?.server.certificates).toHaveLength(2)
  })

  test.each(['-aes256', '-traditional -aes256'])('with a passphrase (%s) are refused, and the way out is named', (how) => {
    const encrypted = openssl('pkey', '-in', pair.key, ...how.split(' '), '-passout', 'pass:secret')
    expect(() => load(pair.cert, file(encrypted))).toThrow(/peer.tls.key.file: the private key in .* is encrypted with a passphrase/)
  })

  test('in the wrong order are told apart from a wrong key', () => {
    const [leaf = '', issuer = ''] = readFileSync(pair.cert, 'utf8').split(/(?<=-----END CERTIFICATE-----\n)/)
    expect(() => load(file(issuer + leaf), pair.key)).toThrow(/belongs to certificate 2 in .*, not to the first/)
  })

  test.each([
    ['a key where a certificate is due', () => load(pair.key, pair.key), /cert.file: expected a PEM certificate in .*, found a private key alone/],
    [
      'a certificate where a key is due',
      () => load(pair.cert, pair.cert),
      /key.file: expected a PEM private key without passphrase in .*, found a certificate/,
    ],
    ['an empty file', () => load(file(''), pair.key), /cert.file: expected a PEM certificate in .*, found an empty file/],
    ['DER', () => load(file(Buffer.from([0x30, 0x82, 1, 2])), pair.key), /cert.file: expected a PEM certificate in .*, found none/],
    ['a damaged certificate', () => load(file(readFileSync(pair.cert, 'utf8').replace('MII', 'AAA')), pair.key), /cert.file: expected a PEM certificate in /],
    ['a damaged key', () => load(pair.cert, file('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n')), /found one that OpenSSL cannot read/],
    ['too long a file', () => load(file(Buffer.alloc(1024 * 1024 + 1)), pair.key), /expected at most 1048576 bytes of PEM, found 1048577/],
    ['a device', () => load('/dev/zero', pair.key), /cannot read \/dev\/zero: it is no regular file/],
    ['a missing file', () => load('/nowhere/cert.pem', pair.key), /peer.tls.cert.file: cannot read \/nowhere\/cert.pem: ENOENT/],
    [
      'a client certificate without key',
      () => load(pair.cert, pair.key, { 'peer.tls.clientCert.file': pair.cert }),
      /belong together, but peer.tls.clientKey.file is not set/,
    ],
    [
      'client authentication without authorities',
      () => load(pair.cert, pair.key, { 'peer.tls.clientAuth': 'admin' }),
      /peer.tls.clientRootCAs.files is not set/,
    ],
    [
      'client authentication without TLS',
      () => loadTls(tlsSettings({ 'peer.tls.enabled': false, 'peer.tls.clientAuth': 'require' })),
      /peer.tls.clientAuth is require, but peer.tls.enabled is false/,
    ],
  ])('%s is named', (_what, act, message) => {
    expect(act).toThrow(message)
  })

  test('that are directories, or forbidden, are named', () => {
    const directory = join(temporaryDirectory(), 'cert.pem')
    mkdirSync(directory)
    expect(() => load(directory, pair.key)).toThrow('it is no regular file')
    if (process.getuid?.() === 0) return // root may read everything
    const secret = file('x')
    chmodSync(secret, 0)
    expect(() => load(pair.cert, secret)).toThrow('EACCES')
  })

  test('that OpenSSL thinks too weak are refused with what to use instead', () => {
    const [cert, key] = [file(''), file('')]
    openssl('req', '-x509', '-newkey', 'rsa:512', '-nodes', '-days', '2', '-subj', '/CN=weak', '-keyout', key, '-out', cert)
    expect(() => load(cert, key)).toThrow(expect.objectContaining({ code: 'ERR_TLS_FILE', hint: expect.stringContaining('RSA of at least 2048 bits') }))
  })
})
