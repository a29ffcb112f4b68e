/** Where the peer is, how it is reached, and under which name this chaincode registers. */
export interface StartOptions {
  /** `host:port`; default `-peer.address=` of the command line, then CORE_PEER_ADDRESS. */
  readonly peer?: string
  /** Default: CORE_CHAINCODE_ID_NAME. */
  readonly name?: string
  /** Default: CORE_PEER_TLS_ENABLED, CORE_PEER_TLS_ROOTCERT_FILE or else CORE_PEER_TLS_CERT_FILE, CORE_PEER_TLS_SERVERHOSTOVERRIDE, CORE_PEER_TLS_CLIENTCERT_FILE and CORE_PEER_TLS_CLIENTKEY_FILE. */
  readonly tls?: ChaincodeTls
  /** Where log lines go; default: stderr. */
  readonly log?: (level: 'debug' | 'info' | 'warning' | 'error', message: string) => void
  /** Limit of dialling; default 3000, as v0.6's shim. */
  readonly dialTimeoutMs?: number
  /** Called once the peer has accepted the name: from then on the chaincode can be deployed and called. */
  readonly onRegistered?: () => void
  /** Ends the stream; `start` then resolves. */
  readonly signal?: AbortSignal
}

/** {@link StartOptions} with everything found. */
export interface Connection {
  readonly peer: string
  readonly name: string
  readonly tls: ChaincodeTls
}

/** How a chaincode dials its peer by TLS. */
export interface ChaincodeTls {
  readonly enabled: boolean
  /** PEM of what it trusts: the peer's certificate or its authority; default: the authorities that this system trusts. */
  readonly certFile?: string
  /** The name that the peer's certificate must have; default: the dialled host. */
  readonly serverHostOverride?: string
  /** PEM of the certificate that it shows, and of its key, for peers that demand one; both or none. */
  readonly clientCertFile?: string
  readonly clientKeyFile?: string
}

/**
 * Finds what `start` needs (spec/chaincode.md §5.1).
 *
 * @throws Error with v0.6's text if address or name are missing
 */
export function resolveConnection(
  { peer, name, tls }: Pick<StartOptions, 'peer' | 'name' | 'tls'>,
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Connection {
  const address = peer ?? flag(argv, 'peer.address') ?? environment.CORE_PEER_ADDRESS
  if (address === undefined || address === '')
    throw new Error("peer.address not configured, can't connect to peer: give -peer.address=<host:port> or CORE_PEER_ADDRESS")
  const id = name ?? environment.CORE_CHAINCODE_ID_NAME
  if (id === undefined || id === '') throw new Error('Error chaincode id not provided: set CORE_CHAINCODE_ID_NAME')
  return { peer: address, name: id, tls: tls ?? tlsFrom(environment) }
}

/** `-name=value`, `--name=value`, `-name value` or `--name value`. */
function flag(argv: readonly string[], name: string): string | undefined {
  for (const [index, word] of argv.entries()) {
    const bare = word.replace(/^--?/, '')
    if (bare === word) continue
    if (bare === name) return argv[index + 1]
    if (bare.startsWith(`${name}=`)) return bare.slice(name.length + 1)
  }
  return undefined
}

function tlsFrom(environment: Readonly<Record<string, string | undefined>>): ChaincodeTls {
  const value = (name: string): string | undefined => environment[`CORE_PEER_TLS_${name}`] || undefined
  const certFile = value('ROOTCERT_FILE') ?? value('CERT_FILE')
  const serverHostOverride = value('SERVERHOSTOVERRIDE')
  const clientCertFile = value('CLIENTCERT_FILE')
  const clientKeyFile = value('CLIENTKEY_FILE')
  return {
    enabled: /^(1|t|true)$/i.test(value('ENABLED') ?? ''),
    ...(certFile === undefined ? {} : { certFile }),
    ...(serverHostOverride === undefined ? {} : { serverHostOverride }),
    ...(clientCertFile === undefined ? {} : { clientCertFile }),
    ...(clientKeyFile === undefined ? {} : { clientKeyFile }),
  }
}
