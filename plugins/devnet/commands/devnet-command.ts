import { Option } from 'clipanion'
import { PeerCommand } from '../../../kernel/index.js'
import type { Devnet } from '../devnet.js'
import { devnetDirectory, requireDevnet } from '../layout.js'

/** Base of the commands of one devnet. */
export abstract class DevnetCommand extends PeerCommand {
  directory = Option.String('--dir', { description: 'directory of the devnet (default: weft-devnet, here or in a parent directory)' })
  #devnet: Devnet | undefined

  override async execute(): Promise<number> {
    try {
      return await super.execute()
    } finally {
      this.#devnet?.close()
    }
  }

  protected get place(): string {
    return devnetDirectory(this.context.cwd, this.directory)
  }

  /** The devnet that is there; its connections are closed when the command ends. Throws ERR_DEVNET_NONE. */
  protected found(): Devnet {
    return this.use(requireDevnet(this.place))
  }

  protected use(devnet: Devnet): Devnet {
    this.#devnet = devnet
    return devnet
  }
}
