import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { DoctorCheck, type Finding, type Patient, checkUsage } from '../doctor/index.js'
import { tlsKeys } from './keys.js'
import type { TlsMaterial, TlsSettings } from './material.js'

/** `peer doctor tls`: the files that the next start, and every reload, reads. */
export class TlsCheck extends DoctorCheck {
  static override paths = [['doctor', 'tls']]
  static override usage = checkUsage('tls', 'the certificates and keys of peer.tls, and when they expire')

  async examine({ settings }: Patient): Promise<readonly Finding[]> {
    const values = settings(tlsKeys)
    const [{ loadTls }, { checkServerContext }] = await Promise.all([import('./material.js'), import('./context.js')])
    // What they throw names file, key and what to do.
    const material = loadTls(values)
    if (material === undefined) return [{ level: 'ok', found: 'off (peer.tls.enabled)' }]
    checkServerContext(material)
    return [
      ...(await validityFindings(values, material)),
      ...(await trustFindings(values, material)),
      ...secrecyFindings(values),
      ...clientFindings(values, material),
    ]
  }
}

async function validityFindings(values: TlsSettings, { server, client }: TlsMaterial): Promise<readonly Finding[]> {
  const { validityProblem } = await import('./validity.js')
  const chains = [
    { key: 'peer.tls.cert.file', file: values['peer.tls.cert.file'] ?? '', certificates: server.certificates },
    ...(client.identity === undefined
      ? []
      : [{ key: 'peer.tls.clientCert.file', file: values['peer.tls.clientCert.file'] ?? '', certificates: client.identity.certificates }]),
  ]
  return chains.map(({ key, file, certificates }): Finding => {
    const problem = validityProblem(key, file, certificates, Date.now(), values['peer.tls.expiryWarning'])
    if (problem === undefined) return { level: 'ok', found: `${key}: ${file} fits its key and is valid until ${certificates[0].validTo}` }
    return { level: problem.validity === 'expires soon' ? 'warning' : 'failure', found: problem.message, todo: problem.hint }
  })
}

/** Whether this site's own clients would take what its listeners show. */
async function trustFindings(values: TlsSettings, { server, client }: TlsMaterial): Promise<readonly Finding[]> {
  if (client.rootsPem === undefined) return []
  const [{ brokenLink }, { certificatesIn }] = await Promise.all([import('./describe.js'), import('./pem.js')])
  const roots = certificatesIn({ key: 'peer.tls.rootcert.file', file: values['peer.tls.rootcert.file'] ?? values['peer.tls.cert.file'] ?? '' }, client.rootsPem)
  const chain = brokenLink(server.certificates)
  const findings: Finding[] =
    chain === undefined
      ? []
      : [{ level: 'warning', found: `peer.tls.cert.file: ${chain}`, todo: 'put the certificates in order, each before its issuer, and nothing else' }]
  const isTrusted = server.certificates.some((own) =>
    roots.some((root) => root.fingerprint256 === own.fingerprint256 || (own.checkIssued(root) && own.verify(root.publicKey))),
  )
  if (isTrusted) return [...findings, { level: 'ok', found: 'the commands of this site trust the certificate of its listeners' }]
  return [
    ...findings,
    { level: 'failure', found: 'the commands of this site do not trust the certificate of its listeners', todo: 'set peer.tls.rootcert.file to its authority' },
  ]
}

function secrecyFindings(values: TlsSettings): readonly Finding[] {
  return (['peer.tls.key.file', 'peer.tls.clientKey.file'] as const).flatMap((key) => {
    const file = values[key]
    if (file === undefined || file === '' || (statSync(resolve(file)).mode & 0o004) === 0) return []
    return [{ level: 'warning', found: `${key}: everybody on this machine can read ${file}`, todo: `chmod 600 ${file}` }]
  })
}

function clientFindings(values: TlsSettings, { client }: TlsMaterial): readonly Finding[] {
  const mode = values['peer.tls.clientAuth']
  if (mode === 'none' || client.identity !== undefined) return []
  const what =
    mode === 'require'
      ? 'the commands of this site, and its own connections to peers of the same kind, will be'
      : 'peer node status and peer node stop of this site will be'
  return [
    {
      level: 'warning',
      found: `peer.tls.clientAuth is ${mode}, and no client certificate is configured: ${what} refused`,
      todo: 'set peer.tls.clientCert.file and peer.tls.clientKey.file',
    },
  ]
}
