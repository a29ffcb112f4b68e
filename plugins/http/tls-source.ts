import type { SecureContextOptions } from 'node:tls'

/** What an HTTPS server presents. `ca` given: clients must show a certificate of that authority. */
export type TlsContext = SecureContextOptions

/** Where HTTPS servers get their certificate from, now and when it changes. */
export interface TlsSource {
  /** Undefined: TLS is off. Throws PeerError for files that cannot be used. */
  current(): TlsContext | undefined
  /** Calls `renewed` with every later certificate; returns the end of it. A source that never changes does not have it. */
  readonly onChange?: (renewed: (context: TlsContext) => void) => () => void
}
