import { PeerError } from '../../kernel/index.js'
import type { TlsSettings } from '../tls/index.js'
import type { ClientAuth } from './doors.js'

/** Which listeners, and which of their methods, ask clients for certificates. */
export interface ListenerSecurity {
  /** Throws ERR_TLS_CONFIG if the site names a listener that is not there: it would be left open. */
  checkNames(listeners: readonly string[]): void
  clientAuth(listener: string): ClientAuth
  /** Whether a method, by its path, answers only who has shown a certificate. */
  isGuarded(listener: string, path: string): boolean
}

/**
 * With `admin` a listener asks everybody, lets in who shows nothing (chaincodes and originals have no certificates), and demands one for the methods of
 * `peer.tls.adminServices`; with `require` it lets in nobody without.
 */
export function listenerSecurity(settings: TlsSettings): ListenerSecurity {
  const mode = settings['peer.tls.clientAuth']
  const listed = settings['peer.tls.clientAuthListeners']
  const services = settings['peer.tls.adminServices']
  const asks = (listener: string): boolean => mode !== 'none' && listed.includes(listener)
  return {
    checkNames(listeners) {
      const unknown = mode === 'none' ? undefined : listed.find((name) => !listeners.includes(name))
      if (unknown === undefined) return
      throw new PeerError(
        'ERR_TLS_CONFIG',
        `peer.tls.clientAuthListeners: no gRPC listener of this peer is named ${unknown}; there are: ${listeners.join(', ')}`,
        {
          hint: 'name listeners that are there',
        },
      )
    },
    clientAuth: (listener) => (asks(listener) ? (mode === 'require' ? 'require' : 'request') : 'none'),
    isGuarded: (listener, path) => mode === 'admin' && asks(listener) && services.some((pattern) => isOf(path, pattern)),
  }
}

/** Whether `/package.Service/Method` is of a service: by its name, or a beginning of it and `*`. */
function isOf(path: string, pattern: string): boolean {
  const service = path.slice(1, path.lastIndexOf('/'))
  return pattern.endsWith('*') ? service.startsWith(pattern.slice(0, -1)) : service === pattern
}
