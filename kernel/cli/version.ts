import { ownPackage } from '../config/own-package.js'
import { PeerCommand } from './command.js'

/** The release of v0.6 whose protocols this program speaks. */
const PROTOCOL_RELEASE = '0.6.2-preview'

/** The line that `peer version` prints (spec/node.md §1). */
export function versionLine(): string {
  return `Fabric peer server version ${PROTOCOL_RELEASE}-weft-${ownPackage().version}`
}

/** `peer version` */
export class VersionCommand extends PeerCommand {
  static override paths = [['version']]
  static override usage = PeerCommand.Usage({
    description: 'Print fabric peer version.',
    examples: [['The version of this program', '$0 version']],
  })

  protected async run(): Promise<void> {
    this.report({ version: ownPackage().version, protocol: PROTOCOL_RELEASE }, `${versionLine()}\n`)
  }
}
