import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { clientCredentials, unary } from '../../plugins/grpc/index.js'
import { EchoClient, echoPlugin } from './echo.js'
import { temporaryDirectory } from '../kernel/sites.js'
import { grpcPeer, tlsSettings } from './grpc-peer.js'

const directory = temporaryDirectory()
const files = {
  certificate: join(directory, 'peer.pem'),
  key: join(directory, 'peer.key'),
  otherKey: join(directory, 'other.key'),
  text: join(directory, 'text.pem'),
}

beforeAll(() => {
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=weft',
      '-addext',
      'subjectAltName=DNS:weft.test',
      '-keyout',
      files.key,
      '-out',
      files.certificate,
    ],
    { stdio: 'pipe' },
  )
  execFileSync('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', files.otherKey])
  writeFileSync(files.text, 'not a certificate')
})

const site = (certificate: string | undefined, key: string | undefined) => ({
  'peer.tls.enabled': true,
  ...(certificate === undefined ? {} : { 'peer.tls.cert.file': certificate }),
  ...(key === undefined ? {} : { 'peer.tls.key.file': key }),
})

describe('TLS', () => {
  test('serves clients that trust the certificate and expect its name', async () => {
    const echo = echoPlugin({ say: unary(async (word: string) => word) })
    const { peer } = grpcPeer([echo.plugin], site(files.certificate, files.key))
    await peer.start()
    const { credentials, options } = clientCredentials(tlsSettings({ ...site(files.certificate, undefined), 'peer.tls.serverhostoverride': 'weft.test' }))
    const client = new EchoClient(echo.address(), credentials, options)
    expect(await client.say('secret')).toBe('secret')
    client.close()
    await peer.stop()
  })

  test('a missing setting names its key', async () => {
    await expect(grpcPeer([], site(files.certificate, undefined)).peer.start()).rejects.toThrow('peer.tls.enabled is true, but peer.tls.key.file is not set')
  })

  test('an unreadable file is named', async () => {
    const missing = join(directory, 'missing.pem')
    await expect(grpcPeer([], site(missing, files.key)).peer.start()).rejects.toThrow(
      `Failed to generate credentials: peer.tls.cert.file: cannot read ${missing}`,
    )
  })

  test('a file of another kind is named', async () => {
    await expect(grpcPeer([], site(files.text, files.key)).peer.start()).rejects.toThrow(`peer.tls.cert.file: expected a PEM certificate in ${files.text}`)
  })

  test('a key that does not belong to the certificate is refused', async () => {
    await expect(grpcPeer([], site(files.certificate, files.otherKey)).peer.start()).rejects.toMatchObject({ code: 'ERR_TLS_KEY_MISMATCH' })
  })
})
