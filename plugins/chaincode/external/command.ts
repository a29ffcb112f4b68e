/** What the process of a chaincode is told of its peer (spec/chaincode.md §14.1). */
export interface PeerForChaincode {
  /** The endpoint's address. */
  readonly address: string
  readonly tls: { readonly certificateFile: string; readonly serverHostOverride: string } | undefined
}

/** Command of a Go or car chaincode. */
export function golangCommand(executable: string, { address }: Pick<PeerForChaincode, 'address'>): readonly string[] {
  return [executable, `-peer.address=${address}`]
}

/** Command of a Java chaincode; the blank before `-s` is v0.6's. */
export function javaCommand(name: string, { address, tls }: PeerForChaincode): readonly string[] {
  return ['java', '-jar', 'chaincode.jar', '-a', address, '-i', name, ...(tls === undefined ? [] : [' -s'])]
}

/** The whole environment of a chaincode. */
export function chaincodeEnvironment(name: string, { tls }: Pick<PeerForChaincode, 'tls'>): Readonly<Record<string, string>> {
  return {
    CORE_CHAINCODE_ID_NAME: name,
    CORE_PEER_TLS_ENABLED: String(tls !== undefined),
    ...(tls === undefined ? {} : { CORE_PEER_TLS_CERT_FILE: tls.certificateFile }),
    ...(tls === undefined || tls.serverHostOverride === '' ? {} : { CORE_PEER_TLS_SERVERHOSTOVERRIDE: tls.serverHostOverride }),
  }
}
