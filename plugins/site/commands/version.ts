import { PeerCommand } from '../../../kernel/index.js'

/** The release of v0.6 whose protocols this program speaks. */
const PROTOCOL_RELEASE = '0.6.2-preview'

/** `peer version` (spec/node.md §1). */
export class VersionCommand extends PeerCommand {
  static override readonly needsSite = false
  static override paths = [['version']]
  static override usage = PeerCommand.Usage({
    description: 'Print fabric peer version.',
    examples: [['The version of this program', '$0 version']],
  })

  protected async run(): Promise<void> {
    const { version } = this.context
    this.report({ version, protocol: PROTOCOL_RELEASE }, `Fabric peer server version ${PROTOCOL_RELEASE}-weft-${version}\n`)
  }
}
