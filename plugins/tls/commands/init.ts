import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { isIP } from 'node:net'
import { Option } from 'clipanion'
import { PeerCommand, PeerError } from '../../../kernel/index.js'
import { wholeNumber } from '../../terminal/index.js'
import type { IssuedPem } from '../authority.js'
import { certificatesIn, checkPair, privateKeyIn, readPem } from '../pem.js'
import { NEW_FILES, refuseOverwriting, writeIdentity } from '../write-files.js'

const MAX_DAYS = 9125

/** `peer tls init` */
export class TlsInitCommand extends PeerCommand {
  static override readonly needsSite = false
  static override paths = [['tls', 'init']]
  static override usage = PeerCommand.Usage({
    category: 'TLS',
    description: 'Make a development authority, and certificates for servers and clients.',
    details: `
      Writes ca.pem, server.pem and client.pem with their keys (readable by this user alone), and prints what to configure. ECDSA P-256. Without --host and --ip the server
      certificate is for localhost, this machine's name, 127.0.0.1 and ::1. With --authority a further peer gets certificates of an authority that was made before.
    `,
    examples: [
      ['For a peer on this machine', '$0 tls init --dir ./tls'],
      ['For a second peer of the same network', '$0 tls init --dir ./tls-vp1 --authority ./tls --host vp1.example --ip 10.0.0.2'],
    ],
  })

  dir = Option.String('--dir', 'tls', { description: 'directory of the files (default: tls)' })
  host = Option.Array('--host', [], { description: 'DNS name of the server; may be repeated' })
  ip = Option.Array('--ip', [], { description: 'IP address of the server; may be repeated' })
  days = Option.String('--days', '365', {
    description: 'how long the certificates are valid (default: 365); the authority: 3650 days, or as long if that is more',
  })
  client = Option.String('--client', 'admin', { description: 'common name of the client certificate (default: admin)' })
  authority = Option.String('--authority', { description: 'directory with ca.pem and ca.key of an authority to use instead of a new one' })
  force = Option.Boolean('--force', false, { description: 'overwrite files that are there' })

  protected async run(): Promise<void> {
    const days = wholeNumber('--days', this.days, 1, MAX_DAYS)
    const { hosts, addresses } = this.names()
    const directory = resolve(this.context.cwd, this.dir)
    const from = this.authority === undefined ? undefined : resolve(this.context.cwd, this.authority)
    if (!this.force)
      refuseOverwriting(
        directory,
        from === undefined || from === directory ? NEW_FILES.filter((name) => from === undefined || !name.startsWith('ca.')) : NEW_FILES,
      )
    const { issue, makeAuthority } = await import('../authority.js')
    const now = Date.now()
    const authority = from === undefined ? await makeAuthority(`weft development authority ${hostname()}`, Math.max(days, 3650), now) : readAuthority(from)
    const commonName = hosts[0] ?? addresses[0] ?? 'localhost'
    const server = await issue(authority, { commonName, use: 'server', hosts, addresses, days }, now)
    const client = await issue(authority, { commonName: this.client, use: 'client', hosts: [], addresses: [], days }, now)
    if (from === undefined) await writeIdentity(directory, 'ca', authority)
    else if (from !== directory) await writeIdentity(directory, 'ca', { certificate: authority.certificate })
    await writeIdentity(directory, 'server', server)
    await writeIdentity(directory, 'client', client)
    const files = Object.fromEntries(NEW_FILES.filter((name) => name !== 'ca.key' || from === undefined).map((name) => [name, join(directory, name)]))
    this.report({ directory, files, hosts, addresses, days, set: settingsFor(directory) }, advice(directory, [...hosts, ...addresses]))
  }

  private names(): { readonly hosts: readonly string[]; readonly addresses: readonly string[] } {
    for (const host of this.host) {
      if (isIP(host) !== 0) throw new PeerError('ERR_USAGE', `--host takes a DNS name, found the address ${host}`, { hint: `use --ip ${host}` })
      if (!/^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*$/i.test(host) || host.length > 253)
        throw new PeerError('ERR_USAGE', `--host takes a DNS name, found ${JSON.stringify(host)}`)
    }
    const wrong = this.ip.find((address) => isIP(address) === 0)
    if (wrong !== undefined) throw new PeerError('ERR_USAGE', `--ip takes an IP address, found ${JSON.stringify(wrong)}`, { hint: 'names go into --host' })
    if (this.client === '' || this.client.length > 64)
      throw new PeerError('ERR_USAGE', `--client takes a name of 1 to 64 characters, found ${this.client.length}`)
    if (this.host.length + this.ip.length > 0) return { hosts: this.host, addresses: this.ip }
    const own = hostname().toLowerCase()
    return { hosts: [...new Set(['localhost', ...(/^[a-z0-9.-]+$/.test(own) ? [own] : [])])], addresses: ['127.0.0.1', '::1'] }
  }
}

function readAuthority(directory: string): IssuedPem {
  const certificateFile = { key: '--authority', file: join(directory, 'ca.pem') }
  const keyFile = { key: '--authority', file: join(directory, 'ca.key') }
  const certificate = readPem(certificateFile)
  const { key, pem } = privateKeyIn(keyFile, readPem(keyFile))
  const certificates = certificatesIn(certificateFile, certificate)
  checkPair(certificateFile, certificates, keyFile, key)
  if (!certificates[0].ca || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1' || !pem.toString('latin1').includes('-----BEGIN PRIVATE KEY-----'))
    throw new PeerError('ERR_TLS_FILE', `expected an authority that \`peer tls init\` has made in ${directory}, found another certificate or key`)
  return { certificate: certificate.toString('latin1'), key: pem.toString('latin1') }
}

function settingsFor(directory: string): Readonly<Record<string, string>> {
  return {
    'peer.tls.enabled': 'true',
    'peer.tls.cert.file': join(directory, 'server.pem'),
    'peer.tls.key.file': join(directory, 'server.key'),
    'peer.tls.rootcert.file': join(directory, 'ca.pem'),
  }
}

function advice(directory: string, names: readonly string[]): string {
  const file = (name: string): string => JSON.stringify(join(directory, name))
  return `Wrote an authority and certificates for ${names.join(', ')} to ${directory}. Into peer.config.ts, in \`peer\`:

  tls: {
    enabled: true,
    cert: { file: ${file('server.pem')} },
    key: { file: ${file('server.key')} },
    rootcert: { file: ${file('ca.pem')} },
    // Only who shows a certificate of this authority may stop this peer:
    // clientAuth: 'admin',
    // clientRootCAs: { files: [${file('ca.pem')}] },
    // clientCert: { file: ${file('client.pem')} },
    // clientKey: { file: ${file('client.key')} },
  },

Whoever has ca.key can issue certificates that this network trusts: keep it off the peers. For development; in production use your own authority.
`
}
