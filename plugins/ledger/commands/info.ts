import { Client } from '@grpc/grpc-js'
import { Command } from 'clipanion'
import { peerKeys } from '../../../kernel/index.js'
import { callUnary, hex, type LedgerInfo, LedgerToolsService } from '../../../proto/index.js'
import { GrpcCommand } from '../../grpc/index.js'
import { ledgerKeys } from '../keys.js'
import { infoOf } from '../service.js'
import { isLocked, withOfflineLedger } from './offline.js'

const ANSWER_MS = 10_000

/** `peer ledger info`: height and hashes. */
export class LedgerInfoCommand extends GrpcCommand {
  static override paths = [['ledger', 'info']]
  static override usage = Command.Usage({
    category: 'ledger specific commands.',
    description: 'Height and hashes of the ledger.',
    details: 'Reads the store of the site; if a peer runs on it, asks the peer at `peer.address`.',
    examples: [
      ['Of this site', 'peer ledger info'],
      ['For programs', 'peer ledger info --json'],
    ],
  })

  protected async run(): Promise<void> {
    const settings = await this.settings({ ...ledgerKeys, ...peerKeys })
    let info: LedgerInfo
    try {
      info = await withOfflineLedger(settings, async (ledger) => infoOf(ledger))
    } catch (thrown) {
      if (!isLocked(thrown)) throw thrown
      info = await callUnary(await this.dial(Client), LedgerToolsService.info, {}, { deadline: Date.now() + ANSWER_MS })
    }
    this.show(info)
  }

  private show({ height, currentBlockHash, previousBlockHash, stateHash, stateHeight }: LedgerInfo): void {
    const value = { height, currentBlockHash: hex(currentBlockHash), previousBlockHash: hex(previousBlockHash), stateHash: hex(stateHash), stateHeight }
    const lines = [
      `height         ${height}`,
      `head           ${value.currentBlockHash || 'none'}`,
      `before head    ${value.previousBlockHash || 'none'}`,
      `world state    ${value.stateHash || 'empty'}`,
      ...(stateHeight === height ? [] : [`state height   ${stateHeight} (a state transfer has not been completed)`]),
    ]
    this.report(value, `${lines.join('\n')}\n`)
  }
}
