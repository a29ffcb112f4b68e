import { isIP } from 'node:net'
import { type PeerCertificate, type SecureContext, checkServerIdentity as checkIdentity } from 'node:tls'
import { type ChannelCredentials, type ChannelOptions, type VerifyOptions, credentials } from '@grpc/grpc-js'
import { withBoundedHandshake } from './bounded-handshake.js'
import { type ClientTls, type TlsSettings, type TlsSource, clientContext, loadClientTls } from '../tls/index.js'

/** Credentials and options of one connection. */
export interface ClientCredentials {
  readonly credentials: ChannelCredentials
  readonly options: ChannelOptions
}

/**
 * How the command line dials peers, its files read anew: trust is exactly `peer.tls.rootcert.file`, else the certificate file (unset: the system's roots), the expected
 * name `peer.tls.serverhostoverride` or the dialled host, that of `address` (spec/node.md §4). Throws ERR_TLS_*.
 */
export function clientCredentials(settings: TlsSettings, address = ''): ClientCredentials {
  return credentialsOf(settings['peer.tls.enabled'] ? loadClientTls(settings) : undefined, address)
}

/** How a running peer dials others: with the TLS files that it uses now. A connection that is made later is to ask again. */
export function dialCredentials(source: TlsSource, address: string): ClientCredentials {
  return credentialsOf(source.current()?.client, address)
}

function credentialsOf(tls: ClientTls | undefined, address: string): ClientCredentials {
  if (tls === undefined) return { credentials: credentials.createInsecure(), options: {} }
  const context = clientContext(tls)
  const { host } = splitAddress(address)
  if (tls.serverName !== '') return { credentials: secured(context), options: { 'grpc.ssl_target_name_override': tls.serverName } }
  if (isIP(host) === 0) return { credentials: secured(context), options: {} }
  // grpc-js would announce the IP address as server name, which RFC 6066 forbids and Node warns of (DEP0123): a name that says nothing instead.
  const checkServerIdentity = (_announced: string, certificate: PeerCertificate): Error | undefined => checkIdentity(host, certificate)
  return { credentials: secured(context, { checkServerIdentity }), options: { 'grpc.ssl_target_name_override': 'localhost' } }
}

function secured(context: SecureContext, verify: VerifyOptions = {}): ChannelCredentials {
  return withBoundedHandshake(credentials.createFromSecureContext(context, verify))
}

/** Host and port of `host:port`, brackets of IPv6 taken off. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) }
}
