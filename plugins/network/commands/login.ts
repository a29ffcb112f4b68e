import { Command, Option } from 'clipanion'
import { PeerCommand, PeerError } from '../../../kernel/index.js'

/** `peer network login`: there is no enrolment without security, and a script must not take silence for success. */
export class LoginCommand extends PeerCommand {
  static override paths = [['network', 'login']]
  static override usage = Command.Usage({
    category: 'network specific commands.',
    description: 'Logs in user to CLI.',
    details: 'Fails: this peer has no membership services, so there is nothing to log in to. Leave `-u` out of `peer chaincode` commands.',
    examples: [['As in v0.6', 'peer network login jim -p secret']],
  })

  user = Option.String({ required: false })
  password = Option.String('-p,--password', { description: 'password of the user' })

  protected async run(): Promise<void> {
    if (this.user === undefined) throw new PeerError('ERR_USAGE', 'Must supply username')
    throw new PeerError('ERR_SECURITY_OFF', `Error on client login: user ${this.user} cannot log in: security is not part of this peer`, {
      hint: 'chaincode commands need no login; leave -u out',
    })
  }
}
