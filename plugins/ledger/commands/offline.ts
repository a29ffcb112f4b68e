import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { PeerError, type Settings, type peerKeys, systemClock } from '../../../kernel/index.js'
import { openLevelStore, storeDirectory } from '../../level/index.js'
import { type LedgerOptions, createLedger } from '../create-ledger.js'
import type { OpenLedger } from '../inspectable-ledger.js'
import type { ledgerKeys } from '../keys.js'
import { settingsOf } from '../settings.js'

/** The validated values that are needed to find and read a ledger. */
export type OfflineSettings = Settings<typeof ledgerKeys> & Pick<Settings<typeof peerKeys>, 'peer.fileSystemPath'>

/**
 * Opens the site's store without a peer, and closes it after `work`.
 *
 * @throws PeerError ERR_LEDGER_MISSING if there is none; ERR_STORE_LOCKED if a peer runs on it; what `createLedger` throws
 */
export async function withOfflineLedger<T>(
  settings: OfflineSettings,
  work: (ledger: OpenLedger) => Promise<T>,
  options: Pick<LedgerOptions, 'inspect'> = {},
): Promise<T> {
  const directory = storeDirectory(resolve(settings['peer.fileSystemPath']))
  if (!existsSync(directory)) {
    throw new PeerError('ERR_LEDGER_MISSING', `expected a ledger in ${directory}, found no such directory`, {
      hint: 'set peer.fileSystemPath to the directory of a peer that has run, or name its site with --config (in a devnet: weft-devnet/vp0/peer.config.yaml)',
    })
  }
  const store = await openLevelStore(directory)
  try {
    return await work(await createLedger({ store, clock: systemClock, settings: settingsOf(settings), ...options }))
  } finally {
    await store.close()
  }
}

/** Whether opening failed because there is no store. */
export function isMissing(thrown: unknown): boolean {
  return thrown instanceof PeerError && thrown.code === 'ERR_LEDGER_MISSING'
}

/** Whether opening failed because a peer runs on the store. */
export function isLocked(thrown: unknown): boolean {
  return thrown instanceof PeerError && thrown.code === 'ERR_STORE_LOCKED'
}
