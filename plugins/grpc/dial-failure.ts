import { createConnection, type Socket } from 'node:net'
import { checkServerIdentity, connect, type TLSSocket } from 'node:tls'
import { type ClientTls, type TlsSettings, clientContext, loadClientTls } from '../tls/index.js'
import { splitAddress } from './client-credentials.js'

const PROBE_MS = 1000

/** Why a peer could not be reached, and what to do: found by connecting once more, step by step. Takes at most 2 s. */
export async function explainDialFailure(address: string, settings: TlsSettings): Promise<string> {
  const reached = await tcp(address)
  if (reached !== 'connected') return tcpProblem(address, reached)
  return settings['peer.tls.enabled'] ? tlsProblem(address, settings, loadClientTls(settings)) : plainProblem(address)
}

type Probe = 'connected' | 'silent' | Error

function tcpProblem(address: string, problem: 'silent' | Error): string {
  if (problem === 'silent') return `nothing answers at ${address} (peer.address): is the address right, and the way to it open?`
  switch (codeOf(problem)) {
    case 'ECONNREFUSED':
      return `connection refused: is a peer running at ${address} (peer.address)?`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `no such host: ${splitAddress(address).host} (peer.address)`
    default:
      return `cannot connect to ${address} (peer.address): ${problem.message}`
  }
}

async function plainProblem(address: string): Promise<string> {
  const probe = await outcome(connect({ ...splitAddress(address), ALPNProtocols: ['h2'], rejectUnauthorized: false }), 'secureConnect')
  // An alert is an answer, too: with TLS 1.2 a listener that wants a client certificate sends one.
  return probe === 'connected' || (probe instanceof Error && /ALERT/.test(codeOf(probe)))
    ? `the peer at ${address} speaks TLS: set peer.tls.enabled, and peer.tls.cert.file to its certificate, or name the file of its site with --config (in a devnet: weft-devnet/vp0/peer.config.yaml)`
    : `something listens at ${address} (peer.address) but does not answer as a peer; it may be overloaded, or another program`
}

async function tlsProblem(address: string, settings: TlsSettings, tls: ClientTls): Promise<string> {
  const { host } = splitAddress(address)
  const name = tls.serverName || host
  let names: string | undefined
  const socket = connect({
    ...splitAddress(address),
    ALPNProtocols: ['h2'],
    secureContext: clientContext(tls),
    checkServerIdentity: (_host, certificate) => {
      if (checkServerIdentity(name, certificate) !== undefined) names = certificate.subjectaltname ?? String(certificate.subject.CN)
      return undefined
    },
  })
  const isTls = once(socket, 'secureConnect')
  // Under TLS 1.3 a server judges the client's certificate after the client is connected; one that takes it begins with HTTP/2 at once.
  const probe = await outcome(socket, 'data')
  if (names !== undefined) return `its certificate is for ${names}, not ${name}: set peer.tls.serverhostoverride to a name of the certificate`
  if (isTls() && probe instanceof Error) return refused(address, tls, probe)
  if (isTls() || probe === 'connected') return `the peer at ${address} accepted TLS but did not answer; it may be overloaded, or another program`
  return probe === 'silent'
    ? `nothing answers TLS at ${address} (peer.address); it may be overloaded, or another program`
    : handshakeProblem(address, settings, tls, probe)
}

function handshakeProblem(address: string, settings: TlsSettings, tls: ClientTls, problem: Error): string {
  const code = codeOf(problem)
  if (code === 'CERT_HAS_EXPIRED')
    return `the certificate of the peer at ${address}, or of its authority, has expired: renew it there, or set this machine's clock`
  if (code === 'CERT_NOT_YET_VALID') return `the certificate of the peer at ${address} is not valid yet: set the clock of the machine that is wrong`
  if (/ALERT/.test(code)) return refused(address, tls, problem)
  if (/CERT|SIGNATURE|ISSUER/.test(code)) return `its certificate is not from ${trusted(settings)}: ${problem.message}`
  if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_CIPHERS/.test(code))
    return `the peer at ${address} has no cipher or version of TLS in common with this one: it needs TLS 1.2 with ECDHE and AES-GCM`
  return `the peer at ${address} does not speak TLS: set peer.tls.enabled to false, or switch TLS on there`
}

/** The server took back, or broke off, what had begun: in a peer with client certificates that is how it says no. */
function refused(address: string, { identity }: ClientTls, problem: Error): string {
  const code = codeOf(problem)
  if (/HANDSHAKE_FAILURE|PROTOCOL_VERSION/.test(code))
    return `the peer at ${address} has no cipher or version of TLS in common with this one (${sslWords(problem)})`
  return identity === undefined
    ? `the peer at ${address} demands a client certificate: set peer.tls.clientCert.file and peer.tls.clientKey.file (${sslWords(problem)})`
    : `the peer at ${address} does not accept the client certificate in peer.tls.clientCert.file: an authority of its peer.tls.clientRootCAs.files must have issued it, for clients, and it must be valid (${sslWords(problem)}; its log says more)`
}

function trusted(settings: TlsSettings): string {
  for (const key of ['peer.tls.rootcert.file', 'peer.tls.cert.file'] as const) {
    const file = settings[key]
    if (file !== undefined && file !== '') return `${file} (${key})`
  }
  return 'an authority that this system trusts (peer.tls.rootcert.file and peer.tls.cert.file are not set)'
}

function tcp(address: string): Promise<Probe> {
  return outcome(createConnection(splitAddress(address)), 'connect')
}

/** Whether a socket has had an event. */
function once(socket: TLSSocket, event: 'secureConnect'): () => boolean {
  let has = false
  socket.once(event, () => (has = true))
  return () => has
}

/** Waits for one event of a socket, and ends it. */
function outcome(socket: Socket | TLSSocket, event: 'connect' | 'secureConnect' | 'data'): Promise<Probe> {
  return new Promise((resolve) => {
    const end = (probe: Probe): void => {
      clearTimeout(timer)
      resolve(probe)
      socket.destroy()
    }
    const timer = setTimeout(() => end('silent'), PROBE_MS)
    socket.once(event, () => end('connected'))
    socket.once('close', () => end(new Error('it closed the connection')))
    // Stays: ending a socket may raise another error, which says nothing new.
    socket.on('error', end)
  })
}

/** What OpenSSL says, without its line numbers. */
function sslWords({ message }: Error): string {
  return /(?:sslv3|tlsv1|tlsv13) (alert [a-z ]+)/.exec(message)?.[1] ?? message
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}
