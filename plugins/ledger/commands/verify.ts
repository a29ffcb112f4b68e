import { Client } from '@grpc/grpc-js'
import { Command, Option } from 'clipanion'
import { PeerError, peerKeys } from '../../../kernel/index.js'
import { LedgerToolsService, type VerifyReply, type VerifyResult, openStream } from '../../../proto/index.js'
import { GrpcCommand } from '../../grpc/index.js'
import { ledgerKeys } from '../keys.js'
import type { SyncableLedger } from '../ledger-sync.js'
import { isLocked, withOfflineLedger } from './offline.js'

/** `peer ledger verify`: re-hashes blocks, links, indexes and the whole world state. Exit code 1 if anything is wrong. */
export class LedgerVerifyCommand extends GrpcCommand {
  static override paths = [['ledger', 'verify']]
  static override usage = Command.Usage({
    category: 'ledger specific commands.',
    description: 'Re-hash the ledger and compare.',
    details:
      'Checks every block, its link, its index rows and the whole world state. Reads the store of the site; if a peer runs on it, the peer at `peer.address` does the work, beside its own. Exit code 1 if anything is wrong.',
    examples: [
      ['Of this site', 'peer ledger verify'],
      ['Only if no peer runs', 'peer ledger verify --offline'],
      ['For programs', 'peer ledger verify --json'],
    ],
  })

  offline = Option.Boolean('--offline', false, { description: 'fail if a peer runs on the store' })

  protected async run(): Promise<number> {
    const result = await this.verify()
    this.clearProgress()
    const { height, blocksChecked, keysChecked, faults } = result
    const lines = faults.map(({ where, what }) => `${where}: ${what}`)
    const verdict = faults.length === 0 ? 'the ledger is sound' : `${faults.length} faults`
    this.report(result, `${[...lines, `${blocksChecked} of ${height} blocks and ${keysChecked} keys checked: ${verdict}`].join('\n')}\n`)
    return faults.length === 0 ? 0 : 1
  }

  private async verify(): Promise<VerifyResult> {
    const settings = await this.settings({ ...ledgerKeys, ...peerKeys })
    try {
      const check = async (ledger: SyncableLedger): Promise<VerifyResult> => {
        const { faults, ...counts } = await ledger.verify((done, total) => this.showProgress(done, total))
        return { ...counts, faults: [...faults] }
      }
      return await withOfflineLedger(settings, check, { inspect: true })
    } catch (thrown) {
      if (this.offline || !isLocked(thrown)) throw thrown
    }
    return this.verifyInPeer()
  }

  private async verifyInPeer(): Promise<VerifyResult> {
    const call = openStream(await this.dial(Client), LedgerToolsService.verify)
    call.write({})
    call.end()
    let result: VerifyResult | undefined
    const replies: AsyncIterable<VerifyReply> = call
    for await (const reply of replies) {
      this.showProgress(reply.done, reply.total)
      result = reply.result ?? result
    }
    if (!result) throw new PeerError('ERR_LEDGER_VERIFY', 'the peer ended the verification without a report')
    return result
  }

  private showProgress(done: bigint, total: bigint): void {
    if (this.isTerminal()) this.context.stderr.write(`\rblock ${done} of ${total}`)
  }

  private clearProgress(): void {
    if (this.isTerminal()) this.context.stderr.write('\r\u001b[K')
  }

  private isTerminal(): boolean {
    return 'isTTY' in this.context.stderr && this.context.stderr.isTTY === true
  }
}
