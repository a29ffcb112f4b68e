import type { Socket } from 'node:net'
import { type Server, type TLSSocket, createServer } from 'node:tls'
import type { Clock, Logger } from '../../kernel/index.js'
import { type TlsSource, nameOf, serverContextOptions } from '../tls/index.js'
import { SparseLog } from './sparse-log.js'

/** What a listener does about client certificates: nothing, look at those that are shown, or let nobody in without. */
export type ClientAuth = 'none' | 'request' | 'require'

/** What stands between an accepted socket and the HTTP/2 server. */
export interface Door {
  admit(socket: Socket): void
  close(): void
}

/** What doors are made with. */
export interface DoorParts {
  /** Takes over a connection on which HTTP/2 begins. */
  readonly enter: (connection: Socket) => void
  readonly log: Logger
  readonly clock: Clock
}

/** As long as {@link Connections} wait for a client that says nothing. */
const HANDSHAKE_LIMIT_MS = 10_000
/** The first byte of every TLS connection; HTTP/2 begins with `PRI`. */
const TLS_HANDSHAKE = 0x16

/** Without TLS. A client that begins with TLS is turned away at once, and named. */
export function plainDoor({ enter, log, clock }: DoorParts): Door {
  const sparse = new SparseLog(log, clock)
  return {
    admit(socket) {
      socket.once('data', (first: Buffer) => {
        if (first[0] === TLS_HANDSHAKE) {
          sparse.warning('tls', `the client ${remote(socket)} speaks TLS, but this listener does not: set peer.tls.enabled here, or switch TLS off there`)
          socket.destroy()
          return
        }
        socket.pause()
        socket.unshift(first)
        enter(socket)
      })
    },
    close: () => undefined,
  }
}

/** With TLS, always with the newest certificate. */
export function tlsDoor(source: TlsSource, clientAuth: ClientAuth, { enter, log, clock }: DoorParts): Door {
  const sparse = new SparseLog(log, clock)
  /** Remote ends in the middle of a handshake. */
  const pending = new Set<string>()
  const material = source.current()
  const server: Server = createServer({
    ...(material === undefined ? {} : serverContextOptions(material)),
    ALPNProtocols: ['h2'],
    handshakeTimeout: HANDSHAKE_LIMIT_MS,
    requestCert: clientAuth !== 'none',
    rejectUnauthorized: false, // Node would drop them without a word: refused below, by name
  })
  const endWatch = source.onChange((fresh) => server.setSecureContext(serverContextOptions(fresh)))
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    const problem = handshakeProblem(error)
    if (problem === undefined) log.debug(`no TLS: ${error.message}`)
    else if (pending.delete(remote(socket))) sparse.warning(problem.kind, `no TLS with ${remote(socket)}: ${problem.message}`)
    socket.destroy()
  })
  server.on('secureConnection', (socket: TLSSocket) => {
    pending.delete(remote(socket))
    socket.on('error', (error) => log.debug(`TLS connection from ${remote(socket)}: ${error.message}`))
    const problem = clientAuth === 'none' ? undefined : clientProblem(socket, clientAuth)
    if (problem === undefined) return enter(socket)
    sparse.warning(problem.kind, `refused ${remote(socket)}: ${problem.message}`)
    socket.destroy()
  })
  return {
    admit(socket) {
      const who = remote(socket)
      pending.add(who)
      socket.once('close', () => {
        // Clients in Node say nothing when they do not trust a server. Who has sent nothing only tried the port.
        if (pending.delete(who) && socket.bytesRead > 0) sparse.warning('distrust', `no TLS with ${who}: it went away in the handshake; perhaps ${DISTRUST}`)
      })
      server.emit('connection', socket)
    },
    close: endWatch,
  }
}

interface Problem {
  readonly kind: string
  readonly message: string
}

const DISTRUST =
  'the client does not trust the certificate of this peer, or expects another name: give it the authority (peer.tls.rootcert.file or peer.tls.cert.file) and the name (peer.tls.serverhostoverride)'

const ALERTS: readonly (readonly [RegExp, string, string])[] = [
  [/HTTP_REQUEST|WRONG_VERSION_NUMBER|PACKET_LENGTH|RECORD_LAYER/, 'plain', 'the client speaks no TLS, but this listener does: set peer.tls.enabled there'],
  [/ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|UNSUPPORTED_CERTIFICATE|DECRYPT_ERROR)/, 'distrust', DISTRUST],
  [
    /ALERT_CERTIFICATE_EXPIRED/,
    'expired',
    'the client finds the certificate of this peer expired or not yet valid: renew it, or set the clock of the one that is wrong',
  ],
  [
    /NO_SHARED_CIPHER|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|NO_SUITABLE_SIGNATURE/,
    'old',
    'the client has no cipher or version in common: it needs TLS 1.2 with ECDHE and AES-GCM',
  ],
  [/NO_APPLICATION_PROTOCOL/, 'alpn', 'the client does not offer HTTP/2 (ALPN h2); this is a gRPC listener'],
]

function handshakeProblem(error: NodeJS.ErrnoException): Problem | undefined {
  const [, kind, message] = ALERTS.find(([pattern]) => pattern.test(error.code ?? '')) ?? []
  return kind === undefined || message === undefined ? undefined : { kind, message }
}

/** A certificate that is shown must be right, also where none is demanded: whoever has one means to use it. */
function clientProblem(socket: TLSSocket, clientAuth: 'request' | 'require'): Problem | undefined {
  const shown = socket.getPeerX509Certificate()
  if (shown === undefined) {
    return clientAuth === 'request'
      ? undefined
      : {
          kind: 'anonymous',
          message: 'it shows no certificate, which peer.tls.clientAuth demands: set peer.tls.clientCert.file and peer.tls.clientKey.file there',
        }
  }
  if (socket.authorized) return undefined
  const code = String(socket.authorizationError)
  const remedy = /EXPIRED|NOT_YET_VALID/.test(code)
    ? 'renew it, or set the clock of the one that is wrong'
    : 'an authority of peer.tls.clientRootCAs.files must have issued it for clients'
  return { kind: 'certificate', message: `its client certificate, of ${JSON.stringify(nameOf(shown).slice(0, 200))}, is not accepted (${code}): ${remedy}` }
}

function remote({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress}:${remotePort}`
}
