import { resolve } from 'node:path'
import { Option } from 'clipanion'
import { PeerCommand, PeerError, type Settings, messageOf, peerKeys } from '../../../kernel/index.js'
import { explainDialFailure, grpcKeys } from '../../grpc/index.js'
import { loadTypeScript } from '../../loader/index.js'
import { assertChaincode } from '../api/chaincode.js'
import type { ChaincodeTls } from '../api/options.js'
import { start } from '../api/start.js'

/** `peer chaincode serve`: runs a chaincode from its source as a process of its own, for a peer in development mode. */
export class ServeCommand extends PeerCommand {
  static override paths = [['chaincode', 'serve']]
  static override usage = PeerCommand.Usage({
    category: 'Chaincode',
    description: 'Run TypeScript chaincode from its source, for a peer in development mode.',
    details: `
      Loads the file, connects to the peer, registers the name, says so, and serves until the peer closes the stream.
      Deploy it then under the same name: \`peer chaincode deploy -n <name> -c '{"Args":["init"]}'\`.
    `,
    examples: [['Serve an example as mycc', '$0 chaincode serve examples/chaincode/example02.ts --name mycc']],
  })

  file = Option.String({ name: 'file', required: true })
  name = Option.String('-n,--name', { required: true, description: 'name under which the chaincode registers' })
  peer = Option.String('--peer', { description: 'host:port of the peer (default: peer.address)' })

  protected override async run(): Promise<void> {
    const file = resolve(this.file)
    const { default: chaincode } = await loadTypeScript(file)
    assertChaincode(chaincode, file)
    const settings = await this.settings({ ...peerKeys, ...grpcKeys })
    const tls = chaincodeTls(settings)
    const peer = this.peer ?? settings['peer.address'].replace(/^:/, '127.0.0.1:')
    this.warn(`${this.name}: serving ${file}; interrupt to stop`)
    try {
      await start(chaincode, { name: this.name, peer, tls, onRegistered: () => this.warn(`chaincode ${this.name} is registered at ${peer}`) })
    } catch (cause) {
      const message = messageOf(cause)
      const hint = message.startsWith('cannot reach') ? await explainDialFailure(peer, settings) : 'start serve again when the peer runs'
      throw new PeerError('ERR_PEER_STREAM', `${this.name}: ${message}`, { cause, hint })
    }
  }
}

function chaincodeTls(settings: Settings<typeof grpcKeys>): ChaincodeTls {
  const certFile = settings['peer.tls.rootcert.file'] || settings['peer.tls.cert.file']
  const { 'peer.tls.serverhostoverride': serverHostOverride, 'peer.tls.clientCert.file': clientCertFile, 'peer.tls.clientKey.file': clientKeyFile } = settings
  return {
    enabled: settings['peer.tls.enabled'],
    ...(certFile === undefined || certFile === '' ? {} : { certFile }),
    ...(serverHostOverride === '' ? {} : { serverHostOverride }),
    ...(clientCertFile === undefined || clientCertFile === '' ? {} : { clientCertFile }),
    ...(clientKeyFile === undefined || clientKeyFile === '' ? {} : { clientKeyFile }),
  }
}
