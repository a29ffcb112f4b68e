import { PeerError, type Settings, messageOf, peerKeys } from '../../../kernel/index.js'
import { DoctorCheck, type Finding, type Patient, checkUsage } from '../../doctor/index.js'
import { grpcKeys } from '../keys.js'

const ANSWER_MS = 3000
/** A network of v0.6 has a handful of peers; of many more a few say enough. */
const MOST = 32
/** Of gRPC: the peer has no such service. */
const UNIMPLEMENTED = 12

/** `peer doctor reach`: the running peer, the root nodes, and the peers that the running one knows. */
export class ReachCheck extends DoctorCheck {
  static override paths = [['doctor', 'reach']]
  static override usage = checkUsage('reach', 'whether this peer, the root nodes of peer.discovery.rootnode and the peers that it knows can be reached')

  async examine({ settings, site }: Patient): Promise<readonly Finding[]> {
    const values = settings({ ...peerKeys, ...grpcKeys })
    const own = values['peer.address']
    const roots = addressesIn(site.values.get('peer.discovery.rootnode')?.value).filter((address) => address !== own)
    const { finding, known, missed } = await askOwn(values)
    const others = known.filter((address) => address !== own && !roots.includes(address)).slice(0, MOST)
    return [
      finding,
      ...missed.filter(({ address }) => !roots.includes(address)).map(unreached),
      ...(await Promise.all(roots.slice(0, MOST).map((address) => reach(address, 'root node (peer.discovery.rootnode)', values)))),
      ...(await Promise.all(others.map((address) => reach(address, 'peer', values)))),
    ]
  }
}

type Values = Settings<typeof peerKeys & typeof grpcKeys>

interface Missed {
  readonly address: string
  readonly reason: string
}

interface Answer {
  readonly finding: Finding
  /** Addresses of the peers that it is connected to. */
  readonly known: readonly string[]
  /** Those to which it tries to connect in vain. */
  readonly missed: readonly Missed[]
}

/** The peer of this site, if it runs, and the addresses of those that it knows. */
async function askOwn(values: Values): Promise<Answer> {
  const [{ Client }, { dialPeer, isRpcError, rpcErrorText }, { NetworkToolsService, OpenchainService, callUnary }] = await Promise.all([
    import('@grpc/grpc-js'),
    import('../dial.js'),
    import('../../../proto/index.js'),
  ])
  const address = values['peer.address']
  let client: InstanceType<typeof Client>
  try {
    client = await dialPeer(Client, values)
  } catch (error) {
    const hint = error instanceof PeerError && error.hint !== undefined ? error.hint : messageOf(error)
    // That no peer runs is no illness; that one does and speaks otherwise is.
    if (hint.startsWith('connection refused')) return { finding: { level: 'ok', found: `no peer runs at ${address} (peer.address)` }, known: [], missed: [] }
    return { finding: { level: 'failure', found: `the peer at ${address} (peer.address) cannot be reached`, todo: hint }, known: [], missed: [] }
  }
  try {
    const { peers } = await callUnary(client, OpenchainService.getPeers, {}, { deadline: Date.now() + ANSWER_MS })
    const known = peers.flatMap(({ address: other }) => (/:\d+$/.test(other) ? [other] : []))
    const { dials } = await callUnary(client, NetworkToolsService.status, {}, { deadline: Date.now() + ANSWER_MS }).catch((error: unknown) => {
      // Other peers than Weft's do not say whom they miss.
      if (isRpcError(error) && error.code === UNIMPLEMENTED) return { dials: [] }
      throw error
    })
    const others = `${peers.length} ${peers.length === 1 ? 'other' : 'others'}`
    return {
      finding: { level: 'ok', found: `the peer at ${address} answers, and is connected to ${others}` },
      known,
      missed: dials.filter(({ failures }) => failures > 0).slice(0, MOST),
    }
  } catch (error) {
    const todo = 'look at its log; `peer node status` asks it again'
    return { finding: { level: 'failure', found: `the peer at ${address} does not answer: ${rpcErrorText(error)}`, todo }, known: [], missed: [] }
  } finally {
    client.close()
  }
}

function unreached({ address, reason }: Missed): Finding {
  const todo = 'start the peer there if it is meant to run; else nothing: it is tried again and again'
  return { level: 'warning', found: `the peer of this site cannot reach ${address}, which it knows: ${reason}`, todo, details: { address } }
}

async function reach(address: string, what: string, values: Values): Promise<Finding> {
  if (!/^[^\s]+:\d{1,5}$/.test(address))
    return { level: 'failure', found: `${what} ${JSON.stringify(address)} is no host:port`, todo: 'write host:port, separated by commas, without spaces' }
  const [{ Client }, { dialPeer }] = await Promise.all([import('@grpc/grpc-js'), import('../dial.js')])
  try {
    const client = await dialPeer(Client, { ...values, 'peer.address': address })
    client.close()
    return { level: 'ok', found: `${what} ${address} can be reached`, details: { address } }
  } catch (error) {
    const hint = error instanceof PeerError && error.hint !== undefined ? error.hint : messageOf(error)
    return { level: 'failure', found: `${what} ${address} cannot be reached`, todo: hint.replaceAll(' (peer.address)', ''), details: { address } }
  }
}

/** A list of a file, or words separated by commas. */
function addressesIn(value: unknown): readonly string[] {
  const words = Array.isArray(value) ? value.map(String) : typeof value === 'string' ? value.split(',') : []
  return words.map((word) => word.trim()).filter((word) => word !== '')
}
