import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { onTestFinished } from 'vitest'
import { ConsensusToolsService, PlanSwapRequest, type SuccessionReport, type SwapPlanMessage } from '../../../proto/index.js'
import { prepareNetwork, untilMeshed } from '../support/network.js'
import { until } from '../support/peer.js'
import { ROOT } from '../support/program.js'
import { TestNetwork } from '../support/test-network.js'

/** On a slow and busy machine. */
export const LIMIT_MS = 180_000
const NO_SIGNATURES = new Uint8Array(0)

/** Builds packages of the example engines, as npm would install them, where `weft` is the package of this checkout. Deleted with the test. */
export async function buildEngines(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  // Inside the checkout: packages find `weft` upwards.
  const base = join(ROOT, 'node_modules', `.weft-swap-${process.pid}`)
  onTestFinished(() => rmSync(base, { recursive: true, force: true }))
  const folders = names.map(async (name): Promise<[string, string]> => {
    const source = join(ROOT, 'examples/engines', name)
    const folder = join(base, name)
    mkdirSync(join(folder, 'dist'), { recursive: true })
    copyFileSync(join(source, 'package.json'), join(folder, 'package.json'))
    await build({
      entryPoints: [join(source, 'src/index.ts')],
      outfile: join(folder, 'dist/index.js'),
      bundle: true,
      format: 'esm',
      platform: 'node',
      external: ['weft', 'weft/*'],
    })
    return [name, folder]
  })
  return new Map(await Promise.all(folders))
}

/** Four validators, what their operators can ask of them, and ways to treat them badly. */
export class SwapNetwork extends TestNetwork {
  /** Running, and connected; ended with the test. `setOf`: keys of single validators. */
  static async start(set: Readonly<Record<string, string>>, setOf: (index: number) => Readonly<Record<string, string>>): Promise<SwapNetwork> {
    const peers = await prepareNetwork({ peers: 4, set, setOf })
    const network = new SwapNetwork(peers)
    await Promise.all([...peers.keys()].map((index) => network.startPeer(index)))
    await untilMeshed(peers, LIMIT_MS)
    return network
  }

  async startPeer(index: number): Promise<void> {
    const peer = this.peer(index)
    const program = peer.launch()
    await program.until(`vp${index} answers`, () => peer.isAnswering(), LIMIT_MS)
  }

  succession(index: number): Promise<SuccessionReport> {
    return this.peer(index).client.call(ConsensusToolsService.succession, { history: false })
  }

  plan(index: number, request: Parameters<typeof PlanSwapRequest.fromPartial>[0]): Promise<SwapPlanMessage> {
    return this.peer(index).client.call(ConsensusToolsService.planSwap, PlanSwapRequest.fromPartial({ allowWeaker: true, ...request }), LIMIT_MS)
  }

  /** Proposes what was planned, whoever refuses it. Resolves with the number of its block. */
  async propose(index: number, { proposal }: Pick<SwapPlanMessage, 'proposal'>): Promise<bigint> {
    const { block, error } = await this.peer(index).client.call(ConsensusToolsService.proposeSwap, { proposal, signatures: NO_SIGNATURES }, LIMIT_MS)
    if (error !== '') throw new Error(`the proposal was rejected: ${error}`)
    return block
  }

  /** Waits until these validators run an epoch that has started, and need the one before no more. */
  async crossed(epoch: bigint, indexes: readonly number[] = [0, 1, 2, 3]): Promise<void> {
    let shown: string[] = []
    const isThere = async (): Promise<boolean> => {
      const reports = await Promise.all(indexes.map((index) => this.succession(index).catch(() => undefined)))
      shown = reports.map((report, at) => {
        const { record, phase, refusal, sealing, halted } = report ?? {}
        return `vp${indexes[at]}: ${record?.engine} of epoch ${record?.epoch}, started by ${record?.started.join(' ')}, ${phase} ${refusal} ${sealing} ${halted}`
      })
      return reports.every((report) => report?.record?.epoch === epoch && report.record.started.length >= report.record.markersNeeded && report.halted === '')
    }
    await until(`epoch ${epoch}`, isThere, LIMIT_MS).catch((cause: unknown) => {
      throw new Error(`expected epoch ${epoch} to have started; found:\n${shown.join('\n')}\nlogs: ${this.keepLogs('weft-swap')}`, { cause })
    })
  }

  /** One swap, by the calls of the command at a validator. Resolves with the new epoch. */
  async swap(at: number, request: Parameters<typeof PlanSwapRequest.fromPartial>[0], indexes: readonly number[] = [0, 1, 2, 3]): Promise<bigint> {
    const plan = await this.plan(at, request)
    if (plan.objection !== '') throw new Error(`the swap is refused: ${plan.objection}`)
    const { record } = await this.succession(at)
    await this.propose(at, plan)
    const epoch = (record?.epoch ?? 0n) + 1n
    await this.crossed(epoch, indexes)
    return epoch
  }

  /** Waits until a transaction from this door is in a block. */
  async commits(index: number): Promise<void> {
    let reason: unknown
    const isDone = async (): Promise<boolean> => {
      try {
        return (await this.peer(index).client.invokeAndWait('example02', 'invoke', 'a', 'b', '1')).outcome.status === 'committed'
      } catch (error) {
        reason = error // it catches up, or the connection of before is broken: once more
        return false
      }
    }
    await until(`vp${index} commits`, isDone, LIMIT_MS).catch((cause: unknown) => {
      throw new Error(`vp${index} does not commit: ${String(reason)}; logs: ${this.keepLogs('weft-swap')}`, { cause })
    })
  }

  /** Writes what the peers logged in their present lives; returns the directory. */
  keepLogs(name: string): string {
    return this.writeLogs(join(tmpdir(), `${name}-${process.pid}`))
  }
}
