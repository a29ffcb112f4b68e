import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { X509Certificate } from 'node:crypto'
import { grpcPeer } from '../grpc/grpc-peer.js'
import { runPeer } from '../kernel/cli/run-peer.js'
import { temporaryDirectory } from '../kernel/sites.js'
import { TestAuthority } from './certificates.js'

const openssl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' })
const DAY_MS = 86_400_000

let directory: string
beforeAll(async () => {
  directory = temporaryDirectory()
  const { exit, stderr } = await runPeer(directory, ['tls', 'init', '--host', 'vp0.example', '--ip', '127.0.0.1', '--ip', '::1', '--days', '90'])
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
})

describe('peer tls init', () => {
  test('makes an authority, a server and a client certificate that OpenSSL accepts for their use, and no other', () => {
    const at = (name: string): string => join(directory, 'tls', name)
    expect(readdirSync(join(directory, 'tls')).toSorted()).toEqual(['ca.key', 'ca.pem', 'client.key', 'client.pem', 'server.key', 'server.pem'])
    const verify = (use: string, name: string): string => openssl('verify', '-x509_strict', '-purpose', use, '-CAfile', at('ca.pem'), at(name))
    expect(verify('sslserver', 'server.pem')).toContain('OK')
    expect(verify('sslclient', 'client.pem')).toContain('OK')
    expect(() => verify('sslclient', 'server.pem')).toThrow()
    expect(() => verify('sslserver', 'client.pem')).toThrow()
    const server = new X509Certificate(readFileSync(at('server.pem')))
    expect(server.checkHost('vp0.example')).toBe('vp0.example')
    expect([server.checkIP('127.0.0.1'), server.checkIP('::1'), server.checkIP('10.0.0.1')]).toEqual(['127.0.0.1', '::1', undefined])
    expect(Math.round((Date.parse(server.validTo) - Date.now()) / DAY_MS)).toBe(90)
  })

  test('keeps keys for this user alone', () => {
    for (const name of ['ca', 'server', 'client']) expect(statSync(join(directory, 'tls', `${name}.key`)).mode & 0o777).toBe(0o600)
  })

  test('overwrites nothing unless it is told to', async () => {
    const before = readFileSync(join(directory, 'tls/ca.pem'), 'utf8')
    const { exit, stderr } = await runPeer(directory, ['tls', 'init'])
    expect(exit).toBe(1)
    expect(stderr).toMatch(/^Error: .*tls has ca.pem, ca.key, server.pem.* already\n {2}use --force/)
    expect(readFileSync(join(directory, 'tls/ca.pem'), 'utf8')).toBe(before)
    const other = temporaryDirectory()
    for (let count = 0; count < 2; count++) expect((await runPeer(other, ['tls', 'init', '--force'])).exit).toBe(0)
  })

  test('issues for a further peer from the same authority, whose key stays where it is', async () => {
    const { exit, stdout } = await runPeer(directory, ['tls', 'init', '--dir', 'vp1', '--authority', 'tls', '--host', 'vp1.example', '--json'])
    expect({ exit, hosts: JSON.parse(stdout).hosts }).toEqual({ exit: 0, hosts: ['vp1.example'] })
    expect(readdirSync(join(directory, 'vp1')).toSorted()).toEqual(['ca.pem', 'client.key', 'client.pem', 'server.key', 'server.pem'])
    expect(openssl('verify', '-CAfile', join(directory, 'tls/ca.pem'), join(directory, 'vp1/server.pem'))).toContain('OK')
    const again = await runPeer(directory, ['tls', 'init', '--dir', 'vp2', '--authority', 'vp1'])
    expect(again.stderr).toContain('cannot read')
  })

  test.each([
    [['--host', '10.0.0.1'], 'use --ip 10.0.0.1'],
    [['--host', 'a b'], '--host takes a DNS name, found "a b"'],
    [['--ip', 'vp0'], '--ip takes an IP address, found "vp0"'],
    [['--days', '0'], "--days: expected a whole number from 1 to 9125; found '0'"],
    [['--days', '1e3'], "--days: expected a whole number from 1 to 9125; found '1e3'"],
    [['--client', 'x'.repeat(65)], '--client takes a name of 1 to 64 characters'],
  ])('refuses %j before it writes anything', async (words, message) => {
    const empty = temporaryDirectory()
    const { exit, stderr } = await runPeer(empty, ['tls', 'init', ...words])
    expect(exit).toBe(1)
    expect(stderr).toContain(message)
    expect(readdirSync(empty)).toEqual([])
  })

  test('prints settings with which a peer starts', async () => {
    const other = temporaryDirectory()
    const { stdout } = await runPeer(other, ['tls', 'init', '--json'])
    const { peer } = grpcPeer([], JSON.parse(stdout).set)
    await peer.start()
    onTestFinished(() => peer.stop())
    const sets = Object.entries<string>(JSON.parse(stdout).set).flatMap(([key, value]) => ['--set', `${key}=${value}`])
    const shown = await runPeer(other, ['tls', 'show', '--running', '--json', ...sets, '--set', `peer.address=${peer.listenerAddress()}`])
    expect(shown.exit, shown.stderr).toBe(0)
    expect(JSON.parse(shown.stdout)).toMatchObject({ protocol: 'TLSv1.3', problems: [], certificates: [{ subject: 'CN=localhost' }, { authority: true }] })
    const untrusting = [...sets, '--set', `peer.tls.rootcert.file=${join(directory, 'tls/ca.pem')}`, '--set', 'peer.tls.serverhostoverride=vp9']
    const doubted = await runPeer(other, ['tls', 'show', '--running', '--json', ...untrusting, '--set', `peer.address=${peer.listenerAddress()}`])
    expect(doubted.exit).toBe(1)
    expect(JSON.parse(doubted.stdout).problems).toEqual([expect.stringMatching(/^not trusted: /), expect.stringMatching(/^not for vp9: /)])
  })
})

describe('peer tls show', () => {
  const show = (...words: string[]) => runPeer(directory, ['tls', 'show', ...words])

  test('shows a certificate, its chain and that the key belongs to it', async () => {
    const { exit, stdout } = await show('tls/server.pem', '--key', 'tls/server.key')
    expect(exit).toBe(0)
    expect(stdout).toContain('names    DNS:vp0.example, IP Address:127.0.0.1')
    expect(stdout).toMatch(/\(8[89]|90\) days left/)
    expect(stdout).toContain('certificate 2 (authority)')
    expect(stdout).toContain('private key: EC prime256v1, belongs to certificate 1')
  })

  test('shows a key without saying what it is', async () => {
    const { exit, stdout } = await show('tls/server.key')
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: 'private key: EC prime256v1\n' })
  })

  test('fails for another key, a broken chain and an expired certificate', async () => {
    const other = await show('tls/server.pem', '--key', 'tls/client.key')
    expect({ exit: other.exit, stdout: other.stdout }).toEqual({ exit: 1, stdout: expect.stringContaining('problem: the key in') })
    const authority = await TestAuthority.make('another')
    const expired = await authority.issuePem('server', 'old', { days: 1, now: Date.now() - 3 * DAY_MS })
    const leaf = expired.certificate.slice(0, expired.certificate.indexOf('-----END') + 26)
    writeFileSync(join(directory, 'mixed.pem'), leaf + readFileSync(join(directory, 'tls/ca.pem'), 'utf8'))
    const { exit, stdout } = await show('mixed.pem', '--json')
    expect(exit).toBe(1)
    expect(JSON.parse(stdout).problems).toEqual(['CN=old is expired', expect.stringContaining('certificate 1 (CN=old) was not issued by certificate 2')])
  })

  test('says what it needs, and who is not there', async () => {
    expect((await show()).stderr).toContain('expected a file (and --key), or --running')
    expect((await show('--running', 'tls/ca.pem')).exit).toBe(1)
    const { exit, stderr } = await show('--running', '--set', 'peer.address=127.0.0.1:1')
    expect({ exit, stderr }).toEqual({ exit: 1, stderr: expect.stringContaining('no TLS at 127.0.0.1:1: connect ECONNREFUSED') })
  })
})
