import { Command } from 'clipanion'
import { Option, PeerError } from '../../../kernel/index.js'
import { ProposingCommand } from './swap.js'

/** `peer consensus set`: other options for the engine that runs. */
export class SetCommand extends ProposingCommand {
  static override paths = [['consensus', 'set']]
  static override usage = Command.Usage({
    category: 'consensus specific commands.',
    description: 'Changes options of the running engine on all validators, at one agreed height.',
    details:
      'As peer consensus swap, with the engine and version that run; options that are not named stay as they are. Names may be written in any case. A value is JSON if it can be read so, else text.',
    examples: [
      ['Larger batches', 'peer consensus set batchsize=1000'],
      ['Two options, and what every validator says of them', 'peer consensus set batchsize=1000 timeout.request=2s --dry-run'],
    ],
  })

  changes = Option.Rest({ required: 1, name: 'name=value' })

  protected async run(): Promise<number> {
    const changes = this.changes.map(changeOf)
    const twice = changes.find(([name], at) => changes.findIndex(([other]) => other.toLowerCase() === name.toLowerCase()) < at)
    if (twice) throw new PeerError('ERR_SWAP_OPTIONS', `expected each option once; found ${twice[0]} twice`)
    return this.planned({ options: JSON.stringify(Object.fromEntries(changes)) })
  }
}

function changeOf(written: string): [string, unknown] {
  const at = written.indexOf('=')
  if (at < 1) throw new PeerError('ERR_SWAP_OPTIONS', `expected name=value, such as batchsize=1000; found '${written}'`)
  return [written.slice(0, at), valueOf(written.slice(at + 1))]
}

function valueOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return text
  }
}
