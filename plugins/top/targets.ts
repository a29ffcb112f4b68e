import { sep } from 'node:path'
import { PeerError } from '../../kernel/index.js'
import { devnetDirectory, findDevnet } from '../devnet/index.js'
import type { TlsSettings } from '../tls/index.js'
import type { Target } from './model.js'

/** What a command line says of the peers to watch. */
export interface Asked {
  readonly peers: string | undefined
  readonly directory: string | undefined
  /** Whether the person named a configuration file, or an address. */
  readonly namesSite: boolean
  /** The configuration file that was found; undefined: the packaged one. */
  readonly siteFile: string | undefined
  readonly cwd: string
}

/** Whom to watch, and how they are reached. */
export interface Found {
  readonly title: string
  readonly targets: readonly Target[]
  readonly tls: TlsSettings
  /** Whether the validators that they are linked to are watched as well. */
  readonly follows: boolean
}

const MAX_PEERS = 128

/**
 * The peers that are named; else those of the devnet here or in a parent directory, unless this is the directory of another site; else the site's own
 * peer and the validators that it is linked to. Throws ERR_USAGE.
 */
export function findTargets(asked: Asked, settings: TlsSettings & { readonly 'peer.address': string }): Found {
  const { peers, directory, namesSite, siteFile, cwd } = asked
  if (peers !== undefined && directory !== undefined) throw new PeerError('ERR_USAGE', 'expected one of --peers and --dir, found both')
  if (peers !== undefined) return { title: 'named peers', targets: named(peers), tls: settings, follows: false }
  const place = devnetDirectory(cwd, directory)
  const isWanted = directory !== undefined || (!namesSite && (siteFile === undefined || siteFile.startsWith(`${place}${sep}`)))
  const devnet = isWanted ? findDevnet(place) : undefined
  if (devnet) {
    const { certificate } = devnet
    const trust = { 'peer.tls.rootcert.file': certificate, 'peer.tls.serverhostoverride': '' }
    const tls = certificate === undefined ? { ...settings, 'peer.tls.enabled': false } : { ...settings, 'peer.tls.enabled': true, ...trust }
    return { title: `devnet ${place}`, targets: devnet.peers.map(({ id, address }) => ({ name: id, address })), tls, follows: false }
  }
  if (directory !== undefined) throw new PeerError('ERR_USAGE', `there is no devnet in ${place}`, { hint: 'make one with peer devnet up' })
  const address = settings['peer.address']
  return { title: `${address} and its validators`, targets: [{ name: address, address }], tls: settings, follows: true }
}

function named(peers: string): readonly Target[] {
  const addresses = [...new Set(peers.split(',').map((address) => address.trim()))]
  const wrong = addresses.find((address) => !/^[^\s:]*:\d{1,5}$|^\[[0-9a-f:.]+\]:\d{1,5}$/i.test(address))
  if (wrong !== undefined) throw new PeerError('ERR_USAGE', `--peers takes addresses host:port with commas between them; found ${JSON.stringify(wrong)}`)
  if (addresses.length > MAX_PEERS) throw new PeerError('ERR_USAGE', `--peers takes at most ${MAX_PEERS} addresses; found ${addresses.length}`)
  return addresses.map((address) => ({ name: address, address }))
}
