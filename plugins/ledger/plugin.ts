import { definePlugin, messageOf } from '../../kernel/index.js'
import { LedgerToolsService } from '../../proto/index.js'
import { STORE } from '../level/index.js'
import { BlockCommand } from './commands/block.js'
import { LedgerExportCommand } from './commands/export.js'
import { LedgerImportCommand } from './commands/import.js'
import { LedgerInfoCommand } from './commands/info.js'
import { StateGetCommand } from './commands/state-get.js'
import { StateListCommand } from './commands/state-list.js'
import { TransactionCommand } from './commands/transaction.js'
import { LedgerVerifyCommand } from './commands/verify.js'
import { createLedger } from './create-ledger.js'
import type { OpenLedger } from './inspectable-ledger.js'
import { ledgerKeys, validatorKeys } from './keys.js'
import { ledgerTools } from './service.js'
import { settingsOf } from './settings.js'
import { LEDGER, LEDGER_SYNC } from './tokens.js'

/** Opens chain and world state in the peer's store; a validator with an empty chain writes the genesis block (spec/ledger.md §3.4). */
export default definePlugin({
  name: 'ledger',
  description: 'chain, world state, state hashes and indexes',
  config: { ...ledgerKeys, ...validatorKeys },
  commands: [
    LedgerInfoCommand,
    LedgerVerifyCommand,
    LedgerExportCommand,
    LedgerImportCommand,
    BlockCommand,
    TransactionCommand,
    StateGetCommand,
    StateListCommand,
  ],
  requires: [STORE],
  provides: [LEDGER, LEDGER_SYNC],
  apply(peer) {
    let ledger: OpenLedger | undefined
    peer.hooks.db.tap(async () => {
      ledger = await createLedger({
        store: peer.use(STORE),
        clock: peer.clock,
        settings: settingsOf(peer.settings(ledgerKeys)),
        genesis: peer.settings(validatorKeys)['peer.validator.enabled'],
        onListenerError: (thrown) => peer.log.error('a commit listener failed', { reason: messageOf(thrown) }),
      })
      peer.provide(LEDGER, ledger)
      peer.provide(LEDGER_SYNC, ledger)
      const { height } = ledger.info()
      peer.log.info('ledger opened', { height, stateBlock: ledger.stateBlock() })
    })
    peer.hooks.registerServices.tap(async (listeners) => {
      if (ledger) listeners.get('peer').add(LedgerToolsService, ledgerTools(ledger, { allowRemote: peer.settings(ledgerKeys)['ledger.tools.allowRemote'] }))
    })
  },
})
