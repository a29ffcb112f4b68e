import { Command, Option } from 'clipanion'
import { ProfileCommand } from './profile-command.js'

/** `peer profile heap`. */
export class ProfileHeapCommand extends ProfileCommand {
  static override paths = [['profile', 'heap']]
  static override usage = Command.Usage({
    category: 'profile specific commands.',
    description: 'Heap profile of the running peer, in pprof format.',
    details:
      'Which functions allocated what still lives in the JavaScript heap, by sampling since the start of the peer. Buffers are outside of that heap. The peer must run with `peer.profile.enabled`.',
    examples: [
      ['As it is', 'peer profile heap -o heap.pb.gz'],
      ['After a garbage collection', 'peer profile heap --gc -o heap.pb.gz'],
    ],
  })

  gc = Option.Boolean('--gc', false, { description: 'collect garbage before' })
  output = Option.String('-o,--output', 'heap.pb.gz', { description: 'file to write (default: heap.pb.gz)' })

  protected async run(): Promise<void> {
    await this.save(await this.fetch(this.gc ? 'heap?gc=1' : 'heap'), this.output)
  }
}
