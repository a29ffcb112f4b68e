import { choice, defineKeys, duration, flag, key, list, text } from '../../kernel/index.js'

/** What TLS reads of a site (spec/node.md §2.3, §4); what v0.6 does not have is off or empty by default. */
export const tlsKeys = defineKeys({
  'peer.tls.enabled': key(flag(), false, 'TLS on every listener and client'),
  'peer.tls.cert.file': key(
    text().optional(),
    undefined,
    'PEM certificate of the listeners, its issuers after it; what clients trust if peer.tls.rootcert.file is not set',
  ),
  'peer.tls.key.file': key(text().optional(), undefined, 'PEM private key of the listeners, without passphrase'),
  'peer.tls.serverhostoverride': key(text(), '', 'server name that clients expect in the certificate'),
  'peer.tls.rootcert.file': key(text().optional(), undefined, 'PEM certificates of the authorities that clients trust; default: peer.tls.cert.file, as v0.6'),
  'peer.tls.clientAuth': key(
    choice(['none', 'admin', 'require']),
    'none',
    'client certificates; none: never asked for; admin: demanded for peer.tls.adminServices alone; require: no connection without one. Of the listeners in peer.tls.clientAuthListeners',
  ),
  'peer.tls.clientAuthListeners': key(list(), ['peer'], 'gRPC listeners that ask clients for certificates, by name'),
  'peer.tls.adminServices': key(
    list(),
    ['protos.Admin', 'weft.*'],
    'gRPC services that demand a client certificate with peer.tls.clientAuth admin; * at the end stands for any',
  ),
  'peer.tls.clientRootCAs.files': key(list(), [], 'PEM files of the authorities whose client certificates are accepted'),
  'peer.tls.clientCert.file': key(text().optional(), undefined, 'PEM certificate that this peer and the command line show when they dial'),
  'peer.tls.clientKey.file': key(text().optional(), undefined, 'PEM private key of peer.tls.clientCert.file, without passphrase'),
  'peer.tls.reloadInterval': key(duration(), '10s', 'how often a running peer looks for changed TLS files; 0: only on SIGHUP'),
  'peer.tls.expiryWarning': key(duration(), '720h', 'how long before its certificate expires the peer warns, once a day'),
})
