import { resolve } from 'node:path'
import { Option } from 'clipanion'
import { PeerCommand, PeerError, peerKeys } from '../../../kernel/index.js'
import { brokenLink, certificateLines, describeCertificate, describeKey } from '../describe.js'
import { tlsKeys } from '../keys.js'
import { loadClientTls } from '../material.js'
import { certificatesIn, privateKeyIn, readPem } from '../pem.js'
import { lookAtServer } from '../served.js'

/** What was found: the certificates, in order, and what is wrong with them. */
interface Findings {
  readonly source: string
  readonly certificates: ReturnType<typeof certificatesIn> | readonly []
  readonly facts: readonly (readonly [string, string])[]
  readonly problems: readonly string[]
}

/** `peer tls show` */
export class TlsShowCommand extends PeerCommand {
  static override paths = [['tls', 'show']]
  static override usage = PeerCommand.Usage({
    category: 'TLS',
    description: 'Show what a certificate or key file holds, or what the running peer shows.',
    details: 'Names, validity, chain, and with --key whether the key belongs to the certificate. Exits with 1 if clients would refuse it.',
    examples: [
      ['A file, and whether the key belongs to it', '$0 tls show tls/server.pem --key tls/server.key'],
      ['What the peer at peer.address shows, and whether this site trusts it', '$0 tls show --running'],
    ],
  })

  file = Option.String({ name: 'file', required: false })
  key = Option.String('--key', { description: 'private key file that should belong to the certificate' })
  running = Option.Boolean('--running', false, { description: 'look at the running peer instead of a file' })

  protected async run(): Promise<number> {
    if ((this.file === undefined) !== this.running || (this.running && this.key !== undefined))
      throw new PeerError('ERR_USAGE', 'expected a file (and --key), or --running')
    const settings = await this.settings({ ...peerKeys, ...tlsKeys })
    const found = this.file === undefined ? await this.lookAtRunning(settings) : this.readFile(this.file)
    const now = Date.now()
    const certificates = found.certificates.map((certificate) => describeCertificate(certificate, now, settings['peer.tls.expiryWarning']))
    const expired = certificates.flatMap(({ subject, validity }) =>
      validity === 'expired' || validity === 'not yet valid' ? [`${subject} is ${validity}`] : [],
    )
    const broken = brokenLink(found.certificates)
    const problems = [...expired, ...(broken === undefined ? [] : [broken]), ...found.problems]
    const lines = [
      ...certificates.flatMap((facts, index) => certificateLines(facts, index + 1)),
      ...found.facts.map(([what, value]) => `${what}: ${value}`),
      ...problems.map((problem) => `problem: ${problem}`),
    ]
    this.report({ source: found.source, certificates, ...Object.fromEntries(found.facts), problems }, `${lines.join('\n')}\n`)
    return problems.length === 0 ? 0 : 1
  }

  private readFile(file: string): Findings {
    const source = resolve(this.context.cwd, file)
    const pem = readPem({ key: 'file', file: source })
    const text = pem.toString('latin1')
    if (!text.includes('CERTIFICATE-----') && text.includes('PRIVATE KEY-----')) {
      return { source, certificates: [], facts: [['private key', describeKey(privateKeyIn({ key: 'file', file: source }, pem).key)]], problems: [] }
    }
    const certificates = certificatesIn({ key: 'file', file: source }, pem)
    if (this.key === undefined) return { source, certificates, facts: [], problems: [] }
    const keyFile = { key: '--key', file: resolve(this.context.cwd, this.key) }
    const { key } = privateKeyIn(keyFile, readPem(keyFile))
    const fits = certificates[0].checkPrivateKey(key)
    return {
      source,
      certificates,
      facts: [['private key', `${describeKey(key)}, ${fits ? 'belongs to certificate 1' : 'of another certificate'}`]],
      problems: fits ? [] : [`the key in ${keyFile.file} does not belong to the first certificate in ${source}`],
    }
  }

  private async lookAtRunning(settings: Parameters<typeof loadClientTls>[0] & { readonly 'peer.address': string }): Promise<Findings> {
    const address = settings['peer.address'].replace(/^:/, '127.0.0.1:')
    const colon = address.lastIndexOf(':')
    const host = address.slice(0, colon).replace(/^\[|\]$/g, '')
    const { certificates, protocol, cipher, problems } = await lookAtServer(host, Number(address.slice(colon + 1)), loadClientTls(settings))
    const [first, ...more] = certificates
    if (first === undefined) throw new PeerError('ERR_TLS_CONNECT', `the peer at ${address} showed no certificate`)
    return {
      source: address,
      certificates: [first, ...more],
      facts: [
        ['protocol', protocol],
        ['cipher', cipher],
      ],
      problems,
    }
  }
}
