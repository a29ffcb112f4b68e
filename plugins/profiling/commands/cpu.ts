import { Command, Option } from 'clipanion'
import { ProfileCommand } from './profile-command.js'

/** `peer profile cpu`. */
export class ProfileCpuCommand extends ProfileCommand {
  static override paths = [['profile', 'cpu']]
  static override usage = Command.Usage({
    category: 'profile specific commands.',
    description: 'CPU profile of the running peer, in pprof format.',
    details: 'Samples the main thread of the peer a thousand times a second. The peer must run with `peer.profile.enabled`; one profile is taken at a time.',
    examples: [['Ten seconds', 'peer profile cpu --seconds 10 -o cpu.pb.gz']],
  })

  seconds = Option.String('--seconds', '10', { description: 'how long, at most 600 (default: 10)' })
  output = Option.String('-o,--output', 'cpu.pb.gz', { description: 'file to write (default: cpu.pb.gz)' })

  protected async run(): Promise<void> {
    const seconds = this.secondsOf(this.seconds)
    await this.save(await this.fetch(`profile?seconds=${seconds}`, seconds), this.output)
  }
}
