import { Command, Option } from 'clipanion'
import { ProfileCommand } from './profile-command.js'

/** `peer profile eventloop`. */
export class ProfileEventLoopCommand extends ProfileCommand {
  static override paths = [['profile', 'eventloop']]
  static override usage = Command.Usage({
    category: 'profile specific commands.',
    description: 'How late the event loop of the running peer is.',
    details: 'Since the start of the peer, or within the next seconds. The peer must run with `peer.profile.enabled`.',
    examples: [
      ['Since the start', 'peer profile eventloop'],
      ['Within the next ten seconds, for programs', 'peer profile eventloop --seconds 10 --json'],
    ],
  })

  seconds = Option.String('--seconds', { description: 'measure for so long, at most 600' })

  protected async run(): Promise<void> {
    const seconds = this.seconds === undefined ? undefined : this.secondsOf(this.seconds)
    const words = [...(this.json ? ['format=json'] : []), ...(seconds === undefined ? [] : [`seconds=${seconds}`])]
    const body = await this.fetch(words.length === 0 ? 'eventloop' : `eventloop?${words.join('&')}`, seconds)
    this.context.stdout.write(this.json ? `${body.toString()}\n` : body.toString())
  }
}
