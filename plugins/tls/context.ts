import { constants } from 'node:crypto'
import { type SecureContext, type SecureContextOptions, createSecureContext } from 'node:tls'
import { PeerError, messageOf } from '../../kernel/index.js'
import type { ClientTls, TlsMaterial } from './material.js'

/**
 * Authenticated ciphers with forward secrecy. The first of TLS 1.2 is the one that HTTP/2 demands and that the Go of v0.6 has, for both kinds of certificates;
 * the SDKs of v0.6 have it too (spec/security.md §9).
 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

const COMMON: SecureContextOptions = { minVersion: 'TLSv1.2', ciphers: CIPHERS, ecdhCurve: 'auto' }

/** What `tls.createServer`, `https.createServer` and `setSecureContext` take. `clients: false`: of a listener that asks nobody for a certificate. */
export function serverContextOptions({ server, clientRootsPem }: TlsMaterial, { clients = true } = {}): SecureContextOptions {
  return {
    ...COMMON,
    cert: server.certificatePem,
    key: server.keyPem,
    honorCipherOrder: true,
    // A resumed session has no certificate to look at, and Node takes that for authorized.
    ...(clientRootsPem === undefined || !clients ? {} : { ca: clientRootsPem, secureOptions: constants.SSL_OP_NO_TICKET }),
  }
}

/** With what this site dials. A leaf that is trusted itself needs no issuer in the file, as for the original. Throws ERR_TLS_FILE. */
export function clientContext({ rootsPem, identity }: ClientTls): SecureContext {
  return checked({
    ...COMMON,
    allowPartialTrustChain: true,
    ...(rootsPem === undefined ? {} : { ca: rootsPem }),
    ...(identity === undefined ? {} : { cert: identity.certificatePem, key: identity.keyPem }),
  })
}

/** Throws ERR_TLS_FILE if OpenSSL refuses the certificate or key, for being weak, say. */
export function checkServerContext(material: TlsMaterial): void {
  checked(serverContextOptions(material))
  clientContext(material.client)
}

function checked(options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options)
  } catch (cause) {
    throw new PeerError('ERR_TLS_FILE', `Failed to generate credentials: OpenSSL refuses the certificates or keys of peer.tls: ${messageOf(cause)}`, {
      cause,
      hint: 'use ECDSA P-256 or RSA of at least 2048 bits, signed with SHA-256; `peer tls show FILE` shows what a file holds',
    })
  }
}
