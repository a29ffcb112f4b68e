import { Command, Option } from 'clipanion'
import { availableParallelism, loadavg } from 'node:os'
import { PeerCommand, PeerError } from '../../../kernel/index.js'
import { wholeNumber, writtenSet } from '../../terminal/index.js'
import { MOST_COUNTED, MOST_VALIDATORS } from '../bounds.js'
import { isWhole, type Report, rowText, textOf } from '../report.js'
import { NETWORK_ROWS, NetworkBench, type NetworkReport, type Row } from '../scenario.js'
import { startShims } from '../shims.js'
import { Workplace } from '../workplace.js'

const ROWS = ['baseline', ...NETWORK_ROWS, 'external'] as const
const SYSTEM_CHAINCODE = 'example02'
const EXTERNAL_CHAINCODE = 'external02'
/** Of slow chaincode: a queue would only add to its latency. */
const EXTERNAL_IN_FLIGHT = 200
const EXTERNAL_WARM_UP = 6000

interface Run {
  readonly place: Workplace
  readonly base: string
  readonly rows: ReadonlySet<string>
  readonly validators: number
  readonly loads: { readonly seconds: number; readonly inFlight: number; readonly rate: number; readonly many: number }
  readonly set: Readonly<Record<string, string>>
}

/** `peer bench`: what a network of validators on this machine does, as its clients see it. */
export class BenchCommand extends PeerCommand {
  static override paths = [['bench']]
  static override usage = Command.Usage({
    category: 'A network on this machine',
    description: 'Measure a network of validators: throughput, latency, CPU, restarts.',
    details: `
      Starts devnets in a temporary directory, invokes example02 through the gRPC services as clients do, one process for all of them, and deletes everything again.
      A transaction counts when a client is told that it is in a block. Latencies are those of clients. Exit code 1 if a transaction that was answered as committed
      is missing anywhere, if there are more than those and the ones without an answer, or if the validators differ.

      Rows, all unless some are named: \`baseline\` a single validator with noops; \`low\` 20 a second; \`rate\` a steady rate; \`most\` as many requests at a time as the most
      throughput takes; \`many\` more than it can take; \`away\` a validator is killed, restarted, and loses its disk, under load; \`external\` chaincode in a process of
      its own beside each validator.
    `,
    examples: [
      ['Four validators with PBFT', 'peer bench --validators 4'],
      ['Sixteen, and only whether they keep up', 'peer bench --validators 16 most'],
      ['For programs, shorter', 'peer bench --validators 4 --seconds 2 --json'],
      ['Another engine, with options of its own', 'peer bench --engine mine --set mine.window=20'],
    ],
  })

  validators = Option.String('--validators', '4', { description: 'how many' })
  engine = Option.String('--engine', 'pbft', { description: 'consensus engine' })
  seconds = Option.String('--seconds', '5', { description: 'length of each load' })
  inFlight = Option.String('--in-flight', '1000', { description: 'requests at a time for the highest throughput' })
  many = Option.String('--many', '10000', { description: 'requests at a time that must not make it collapse' })
  rate = Option.String('--rate', '1500', { description: 'requests a second for the latency under load' })
  keep = Option.Boolean('--keep', false, { description: 'keep the files of the networks' })
  rows = Option.Rest({ name: 'rows' })

  protected async run(): Promise<number> {
    const rows = this.chosen()
    const validators = wholeNumber('--validators', this.validators, 2, MOST_VALIDATORS)
    const loads = {
      seconds: wholeNumber('--seconds', this.seconds, 1, MOST_COUNTED),
      inFlight: wholeNumber('--in-flight', this.inFlight, 1, MOST_COUNTED),
      rate: wholeNumber('--rate', this.rate, 1, MOST_COUNTED),
      many: wholeNumber('--many', this.many, 1, MOST_COUNTED),
    }
    await this.resolved()
    const set = writtenSet(this.set)
    const { file } = await this.context.loadedSite()
    const loadBefore = loadavg()
    return Workplace.use({ keep: this.keep, say: (text) => this.warn(text) }, async (place) => {
      const networks = await this.measure({ place, base: file ?? 'weft/peer.config', rows, validators, loads, set })
      const report: Report = {
        at: new Date().toISOString(),
        node: process.versions.node,
        processors: availableParallelism(),
        loadBefore,
        loadAfter: loadavg(),
        networks,
      }
      this.report(report, textOf(report))
      return networks.every(isWhole) ? 0 : 1
    })
  }

  private async measure(run: Run): Promise<readonly NetworkReport[]> {
    const { rows, validators, loads } = run
    const reports: NetworkReport[] = []
    if (rows.has('baseline')) {
      const single = { validators: 1, engine: 'noops', set: {} }
      reports.push(await this.withNetwork(run, 'one with noops', single, (bench) => warmThenMost(bench, loads)))
    }
    const own = NETWORK_ROWS.filter((row) => rows.has(row))
    if (own.length > 0) {
      const plan = { validators, engine: this.engine, set: run.set }
      const measured = await this.withNetwork(run, `${validators} with ${this.engine}`, plan, async (bench) => {
        await bench.warmUp(loads.inFlight)
        for (const row of own) await bench.run(row)
      })
      reports.push(measured)
    }
    if (rows.has('external')) {
      const plan = { validators, engine: this.engine, set: { ...run.set, 'chaincode.mode': 'dev' } }
      const measured = await this.withNetwork(run, `${validators} with ${this.engine}, external chaincode`, plan, async (bench) => {
        await bench.warmUp(EXTERNAL_IN_FLIGHT, EXTERNAL_WARM_UP)
        await bench.closedLoop(EXTERNAL_IN_FLIGHT, loads.seconds)
      })
      reports.push(measured)
    }
    return reports
  }

  /** Starts a network, with shims if it is in development mode, measures it and ends it. */
  private async withNetwork(
    { place, base, loads }: Run,
    network: string,
    plan: { readonly validators: number; readonly engine: string; readonly set: Readonly<Record<string, string>> },
    work: (bench: NetworkBench) => Promise<void>,
  ): Promise<NetworkReport> {
    const isExternal = plan.set['chaincode.mode'] === 'dev'
    try {
      const measured = await place.network(network.replaceAll(/\W+/g, '-'), { ...plan, base })
      const chaincode = isExternal ? EXTERNAL_CHAINCODE : SYSTEM_CHAINCODE
      const chaincodePids = isExternal ? await startShims(place, measured.devnet, chaincode) : []
      const say = (row: Row): void => this.warn(rowText(row))
      const bench = await NetworkBench.begin(measured, { network, chaincode, chaincodePids, loads, say })
      await work(bench)
      return await bench.report()
    } finally {
      await place.end()
    }
  }

  private chosen(): ReadonlySet<string> {
    const known: readonly string[] = ROWS
    const unknown = this.rows.find((row) => !known.includes(row))
    if (unknown !== undefined) throw new PeerError('ERR_USAGE', `there is no row ${unknown}: there are ${ROWS.join(', ')}`)
    return new Set(this.rows.length === 0 ? ROWS : this.rows)
  }
}

async function warmThenMost(bench: NetworkBench, { inFlight }: { readonly inFlight: number }): Promise<void> {
  await bench.warmUp(inFlight)
  await bench.run('most')
}
