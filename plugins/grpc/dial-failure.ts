import { createConnection, type Socket } from 'node:net'
import { type ConnectionOptions, checkServerIdentity, connect, type TLSSocket } from 'node:tls'
import { splitAddress, type TlsSettings, trustedCertificate } from './tls.js'

const PROBE_MS = 1000

/** Why a peer could not be reached, and what to do: found by connecting once more, step by step. Takes at most 2 s. */
export async function explainDialFailure(address: string, settings: TlsSettings): Promise<string> {
  const reached = await tcp(address)
  if (reached !== 'connected') return tcpProblem(address, reached)
  return settings['peer.tls.enabled'] ? tlsProblem(address, settings) : plainProblem(address)
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
  const probe = await handshake(address, { rejectUnauthorized: false })
  return probe === 'connected'
    ? `the peer at ${address} speaks TLS: set peer.tls.enabled, and peer.tls.cert.file to its certificate`
    : `something listens at ${address} (peer.address) but does not answer as a peer; it may be overloaded, or another program`
}

async function tlsProblem(address: string, settings: TlsSettings): Promise<string> {
  const { host } = splitAddress(address)
  const name = settings['peer.tls.serverhostoverride'] || host
  const ca = trustedCertificate(settings)
  let names: string | undefined
  const probe = await handshake(address, {
    ...(ca === undefined ? {} : { ca }),
    checkServerIdentity: (_host, certificate) => {
      if (checkServerIdentity(name, certificate) !== undefined) names = certificate.subjectaltname ?? String(certificate.subject.CN)
      return undefined
    },
  })
  if (probe === 'connected') {
    return names === undefined
      ? `the peer at ${address} accepted TLS but did not answer; it may be overloaded, or another program`
      : `its certificate is for ${names}, not ${name}: set peer.tls.serverhostoverride to a name of the certificate`
  }
  if (probe !== 'silent' && /CERT|SIGNATURE|ISSUER/.test(codeOf(probe))) {
    const expected =
      ca === undefined ? 'an authority that this system trusts (peer.tls.cert.file is not set)' : `${settings['peer.tls.cert.file']} (peer.tls.cert.file)`
    return `its certificate is not from ${expected}: ${probe.message}`
  }
  return `the peer at ${address} does not speak TLS: set peer.tls.enabled to false, or switch TLS on there`
}

function tcp(address: string): Promise<Probe> {
  return outcome(createConnection(splitAddress(address)), 'connect')
}

function handshake(address: string, options: ConnectionOptions): Promise<Probe> {
  return outcome(connect({ ...splitAddress(address), ALPNProtocols: ['h2'], ...options }), 'secureConnect')
}

/** Waits for one event of a socket, and ends it. */
function outcome(socket: Socket | TLSSocket, event: 'connect' | 'secureConnect'): Promise<Probe> {
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

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}
