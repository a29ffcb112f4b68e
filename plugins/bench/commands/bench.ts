import { Command, Option } from 'clipanion'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PeerCommand, PeerError } from '../../../kernel/index.js'
import type { Devnet } from '../../devnet/index.js'
import { startNetwork } from '../network.js'
import { isWhole, rowText, textOf } from '../report.js'
import { measure } from '../scenario.js'

/** `peer bench`: what a network of validators on this machine does, as its clients see it. */
export class BenchCommand extends PeerCommand {
  static override paths = [['bench']]
  static override usage = Command.Usage({
    category: 'A network on this machine',
    description: 'Measure a network of validators: throughput, latency, CPU, restarts.',
    details:
      'Starts a devnet in a temporary directory, invokes example02 through the gRPC services as clients do, one process for all of them, and deletes everything again. A transaction counts when a client is told that it is in a block. Latencies are those of clients. Exit code 1 if a transaction that was answered as committed is missing anywhere, or the validators differ.',
    examples: [
      ['Four validators with PBFT', 'peer bench --validators 4'],
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
  keep = Option.Boolean('--keep', false, { description: 'keep the files of the network' })

  protected async run(): Promise<number> {
    const validators = this.number('--validators', this.validators, 2)
    const loads = {
      seconds: this.number('--seconds', this.seconds, 1),
      inFlight: this.number('--in-flight', this.inFlight, 1),
      rate: this.number('--rate', this.rate, 1),
      many: this.number('--many', this.many, 1),
    }
    await this.resolved()
    const set = Object.fromEntries(this.set.map((option): [string, string] => [option.slice(0, option.indexOf('=')), option.slice(option.indexOf('=') + 1)]))
    const { file } = await this.context.loadedSite()
    const directory = mkdtempSync(join(tmpdir(), 'weft-bench-'))
    let devnet: Devnet | undefined
    try {
      const measured = await startNetwork(directory, { validators, engine: this.engine, set, base: file ?? 'weft/peer.config' })
      devnet = measured.devnet
      const report = await measure(measured, loads, (row) => this.warn(rowText(row)))
      this.report(report, textOf(report))
      return isWhole(report) ? 0 : 1
    } finally {
      await devnet?.stop(devnet.peers)
      devnet?.close()
      if (this.keep) this.warn(`kept: ${directory}`)
      else rmSync(directory, { recursive: true, force: true })
    }
  }

  private number(name: string, written: string, least: number): number {
    const value = /^\d{1,7}$/.test(written) ? Number(written) : Number.NaN
    if (value >= least) return value
    throw new PeerError('ERR_USAGE', `${name} takes a whole number from ${least} on, found ${written}`)
  }
}
