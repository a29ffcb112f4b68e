import { Client } from '@grpc/grpc-js'
import { Command, Option } from 'clipanion'
import { peerKeys, PeerError } from '../../../kernel/index.js'
import { callUnary, ConsensusToolsService } from '../../../proto/index.js'
import { consensusKeys } from '../../consensus/index.js'
import { directoryHolder } from '../../directory/index.js'
import { GrpcCommand } from '../../grpc/index.js'

const ANSWER_MS = 5000

/** `peer engine remove`: takes the code of an engine away, unless it is needed. */
export class RemoveCommand extends GrpcCommand {
  static override paths = [['engine', 'remove']]
  static override usage = Command.Usage({
    category: 'engine specific commands.',
    description: 'Remove an installed consensus engine.',
    details:
      'Refused for the engine that orders transactions on this peer, or that did when it last ran: without its code the peer could follow the others but not vote. ' +
      'A peer that is running is asked; if it cannot be asked, nothing is removed without --force.',
    examples: [
      ['One version', 'peer engine remove raft@1.0.0'],
      ['Also if it may be in use', 'peer engine remove raft@1.0.0 --force'],
    ],
  })

  engine = Option.String({ name: 'name@version' })
  force = Option.Boolean('--force', false, { description: 'remove it even if it is, or may be, in use' })

  protected async run(): Promise<void> {
    const [, name = '', version = ''] = /^([A-Za-z0-9][\w.-]*)@([A-Za-z0-9][\w.+-]*)$/.exec(this.engine) ?? []
    if (name === '') throw new PeerError('ERR_USAGE', `expected name@version, as peer engine list shows it; found ${this.engine}`)
    const settings = await this.settings({ ...peerKeys, ...consensusKeys })
    const { InstalledEngines } = await import('../installed.js')
    const installed = new InstalledEngines(settings['peer.fileSystemPath'])
    const used = this.force ? undefined : await this.use(name, version, settings['peer.fileSystemPath'], await installed.lastBegun())
    if (used !== undefined) {
      throw new PeerError('ERR_ENGINE_IN_USE', `${name}@${version} is not removed: ${used}`, {
        hint: 'swap to another engine first; --force removes it nevertheless',
      })
    }
    await installed.remove(name, version)
    this.report({ removed: `${name}@${version}` }, `removed ${name}@${version}\n`)
  }

  /** Why it may be in use; undefined if it is not. */
  private async use(
    name: string,
    version: string,
    directory: string,
    last: { readonly name: string; readonly version: string } | undefined,
  ): Promise<string | undefined> {
    const isIt = (engine: { readonly name: string; readonly version: string }): boolean =>
      engine.name.toLowerCase() === name.toLowerCase() && engine.version === version
    if (directoryHolder(directory) === undefined) return last && isIt(last) ? 'it ran last on this peer, which will need it' : undefined
    try {
      const { engine, version: running } = await callUnary(await this.dial(Client), ConsensusToolsService.status, {}, { deadline: Date.now() + ANSWER_MS })
      return isIt({ name: engine, version: running }) ? 'it orders transactions on this peer' : undefined
    } catch (cause) {
      throw new PeerError('ERR_ENGINE_IN_USE', `a peer uses ${directory}, and cannot be asked which engine it runs`, { cause, hint: 'stop it, or use --force' })
    }
  }
}
