import { Client } from '@grpc/grpc-js'
import { Command, Option } from 'clipanion'
import { peerKeys, PeerError } from '../../../kernel/index.js'
import { callUnary, ConsensusToolsService } from '../../../proto/index.js'
import { directoryHolder } from '../../directory/index.js'
import { GrpcCommand } from '../../grpc/index.js'
import { devnetFor, placeOf } from './devnet-peers.js'

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

  all = Option.Boolean('--all', false, { description: 'from every validator of the devnet in this directory' })

  protected async run(): Promise<void> {
    const [, name = '', version = ''] = /^([A-Za-z0-9][\w.-]*)@([A-Za-z0-9][\w.+-]*)$/.exec(this.engine) ?? []
    if (name === '') throw new PeerError('ERR_USAGE', `expected name@version, as peer engine list shows it; found ${this.engine}`)
    const { InstalledEngines } = await import('../installed.js')
    const found: Place[] = []
    // From all of them, or from none if one may need it.
    for (const place of await this.places()) {
      const installed = new InstalledEngines(place.directory)
      const last = await installed.lastBegun()
      if (this.all && !(await installed.list()).some((engine) => isSame(engine, { name, version }))) continue
      const used = this.force ? undefined : await useOf({ name, version }, { ...place, last })
      if (used !== undefined) {
        throw new PeerError('ERR_ENGINE_IN_USE', `${name}@${version} is not removed: ${used}`, {
          hint: 'swap to another engine first; --force removes it nevertheless',
        })
      }
      found.push(place)
    }
    const removed = found.map(({ directory }) => directory)
    for (const directory of removed) await new InstalledEngines(directory).remove(name, version)
    if (removed.length === 0) {
      throw new PeerError('ERR_ENGINE_UNKNOWN', `${name}@${version} is installed on no validator of this devnet`, { hint: 'peer engine list --all' })
    }
    const { cwd } = this.context
    this.report(
      { removed: `${name}@${version}`, directories: removed },
      removed.map((directory) => `removed ${name}@${version} from ${placeOf(directory, cwd)}\n`).join(''),
    )
  }

  private async places(): Promise<readonly Place[]> {
    if (!this.all) {
      const { 'peer.fileSystemPath': directory } = await this.settings(peerKeys)
      return [{ who: 'this peer', directory, client: () => this.dial(Client) }]
    }
    const devnet = await devnetFor(this.context.cwd)
    return devnet.peers.map((peer) => ({ who: peer.id, directory: peer.data, client: () => this.dial(Client, peer.address) }))
  }
}

/** Where engines are installed, and how the peer there is reached. */
interface Place {
  readonly who: string
  readonly directory: string
  readonly client: () => Promise<Client>
}

interface Named {
  readonly name: string
  readonly version: string
}

function isSame(left: Named, right: Named): boolean {
  return left.name.toLowerCase() === right.name.toLowerCase() && left.version === right.version
}

/** Why it may be in use; undefined if it is not. */
async function useOf(engine: Named, { who, directory, client, last }: Place & { readonly last: Named | undefined }): Promise<string | undefined> {
  if (directoryHolder(directory) === undefined) return last && isSame(last, engine) ? `it ran last on ${who}, which will need it` : undefined
  try {
    const running = await callUnary(await client(), ConsensusToolsService.status, {}, { deadline: Date.now() + ANSWER_MS })
    return isSame({ name: running.engine, version: running.version }, engine) ? `it orders transactions on ${who}` : undefined
  } catch (cause) {
    throw new PeerError('ERR_ENGINE_IN_USE', `a peer uses ${directory}, and cannot be asked which engine it runs`, { cause, hint: 'stop it, or use --force' })
  }
}
