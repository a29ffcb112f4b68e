import { Command, Option } from 'clipanion'
import { availableParallelism, loadavg } from 'node:os'
import { PeerCommand } from '../../../kernel/index.js'
import { packageFolder, wholeNumber, writtenSet } from '../../terminal/index.js'
import { MOST_COUNTED, MOST_VALIDATORS } from '../bounds.js'
import { isWhole, spreadOf, swapsText } from '../swaps/report.js'
import { measureSwaps } from '../swaps/swaps.js'
import { Workplace } from '../workplace.js'

const CHAINCODE = 'example02'

/** `peer bench swaps`: what clients notice of swaps of the engine. */
export class BenchSwapsCommand extends PeerCommand {
  static override paths = [['bench', 'swaps']]
  static override usage = Command.Usage({
    category: 'A network on this machine',
    description: 'Swap the engine of a network under load, and measure how long nothing is committed.',
    details: `
      Starts a devnet in a temporary directory, keeps it under a steady load, and, ten seconds later, swaps its engine again and again as \`peer consensus swap\` does. The gap of a swap is the longest time
      between two blocks of clients' transactions, from the command until every validator has let the old engine go, at the validator where it was longest, and until a quorum
      of them had the next one; beside it the first for as long a time without a swap, just before. A bystander writes to the same disk all the time, so that the disk's own standstills can be told from
      pauses of the network. In the end every acknowledged transaction must be in the chain once, in the order of its door, and all chains must be equal:
      exit code 1 otherwise.
    `,
    examples: [
      ['Between the engines of this site', 'peer bench swaps --route noops,pbft'],
      [
        'Through the example engines and back',
        'peer bench swaps --swaps 200 --with examples/engines/raft --with examples/engines/hotstuff --with examples/engines/sequencer --trusted --route sequencer,pbft,raft,hotstuff,pbft,hotstuff,raft,pbft',
      ],
      ['Options of the same engine', 'peer bench swaps --route pbft'],
    ],
  })

  swaps = Option.String('--swaps', '20', { description: 'how many' })
  route = Option.String('--route', 'pbft', { description: 'engines, one after the other and again from the start; the first one begins' })
  packages = Option.Array('--with', [], { description: 'package of an engine, by name or folder; may be repeated' })
  trusted = Option.Boolean('--trusted', false, { description: 'those packages run inside the peers, not in processes of their own' })
  validators = Option.String('--validators', '4', { description: 'how many' })
  rate = Option.String('--rate', '1000', { description: 'transactions a second' })
  keep = Option.Boolean('--keep', false, { description: 'keep the files of the network' })

  protected async run(): Promise<number> {
    const swaps = wholeNumber('--swaps', this.swaps, 1, MOST_COUNTED)
    const validators = wholeNumber('--validators', this.validators, 1, MOST_VALIDATORS)
    const rate = wholeNumber('--rate', this.rate, 1, MOST_COUNTED)
    const route = this.route.split(',').map((name) => name.trim())
    await this.resolved()
    const { file } = await this.context.loadedSite()
    const loadBefore = loadavg()
    return Workplace.use({ keep: this.keep, say: (text) => this.warn(text) }, async (place) => {
      const { devnet } = await place.network('swaps', { validators, engine: route[0] ?? 'pbft', set: this.setOf(route), base: file ?? 'weft/peer.config' })
      const report = await measureSwaps(devnet, { route, swaps, rate, chaincode: CHAINCODE, directory: place.directory, say: (text) => this.warn(text) })
      const machine = { at: new Date().toISOString(), node: process.versions.node, processors: availableParallelism(), loadBefore, loadAfter: loadavg() }
      const gap = spreadOf(report.rows.map(({ gapMs }) => gapMs))
      const load = (averages: readonly number[]): string => averages.map((average) => average.toFixed(1)).join(' ')
      const head = `${machine.at}, Node ${machine.node}, ${machine.processors} processors, load average ${load(loadBefore)} before and ${load(machine.loadAfter)} after`
      this.report({ ...machine, gap, ...report }, `${head}\n\n${swapsText(report)}`)
      return isWhole(report) ? 0 : 1
    })
  }

  private setOf(route: readonly string[]): Readonly<Record<string, string>> {
    const packages = this.packages.map((named) => packageFolder('--with', named, this.context.cwd))
    return {
      ...(packages.length === 0 ? {} : { 'consensus.engines': packages.join() }),
      ...(this.trusted ? { 'consensus.trusted': [...new Set(route)].join() } : {}),
      ...writtenSet(this.set),
    }
  }
}
