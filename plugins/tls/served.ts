import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { checkServerIdentity, connect } from 'node:tls'
import { PeerError, messageOf } from '../../kernel/index.js'
import { clientContext } from './context.js'
import type { ClientTls } from './material.js'

/** What a listener shows to those who connect. */
export interface Served {
  readonly certificates: readonly X509Certificate[]
  readonly protocol: string
  readonly cipher: string
  /** Why this site's clients do not accept it; empty if they do. */
  readonly problems: readonly string[]
}

const LIMIT_MS = 3000

/** Connects to a listener and looks at its certificate, whatever it is worth. Throws ERR_TLS_CONNECT. */
export function lookAtServer(host: string, port: number, tls: ClientTls): Promise<Served> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      reject(
        new PeerError('ERR_TLS_CONNECT', `no TLS at ${host}:${port}: ${messageOf(cause)}`, {
          cause,
          hint: '`peer node status` says more about why; does a peer with peer.tls.enabled run there?',
        }),
      )
      socket.destroy()
    }
    const name = tls.serverName || host
    const socket = connect({
      host,
      port,
      ALPNProtocols: ['h2'],
      secureContext: clientContext(tls),
      rejectUnauthorized: false,
      ...(isIP(name) === 0 ? { servername: name } : {}),
      timeout: LIMIT_MS,
    })
    socket.on('error', fail)
    socket.once('timeout', () => fail(new Error(`nothing answered within ${LIMIT_MS / 1000} s`)))
    socket.once('secureConnect', () => {
      const peer = socket.getPeerCertificate(true)
      const problems: string[] = []
      // `rejectUnauthorized: false` leaves the name unchecked, and the verdict of OpenSSL is about the chain.
      if (socket.authorizationError !== undefined && socket.authorizationError !== null) problems.push(`not trusted: ${String(socket.authorizationError)}`)
      const wrongName = checkServerIdentity(name, peer)
      if (wrongName !== undefined) problems.push(`not for ${name}: ${wrongName.message}`)
      resolve({ certificates: chainOf(peer), protocol: socket.getProtocol() ?? '', cipher: socket.getCipher().name, problems })
      socket.destroy()
    })
  })
}

interface Linked {
  readonly raw: Buffer
  readonly issuerCertificate?: Linked
}

function chainOf(peer: Linked): X509Certificate[] {
  const chain: X509Certificate[] = []
  const seen = new Set<string>()
  for (let at: Linked | undefined = peer; at?.raw !== undefined; at = at.issuerCertificate) {
    const certificate = new X509Certificate(at.raw)
    if (seen.has(certificate.fingerprint256)) break // the last one is its own issuer
    seen.add(certificate.fingerprint256)
    chain.push(certificate)
  }
  return chain
}
