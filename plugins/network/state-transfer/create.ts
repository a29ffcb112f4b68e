import type { Clock, Logger, Settings } from '../../../kernel/index.js'
import { type Message, Message_Type, PeerEndpoint_Type } from '../../../proto/index.js'
import type { StateTransferService } from '../../consensus/index.js'
import type { SyncableLedger } from '../../ledger/index.js'
import type { syncKeys } from '../keys.js'
import type { Link } from '../link.js'
import type { PeerNetwork, SyncHandler } from '../network.js'
import { StateTransferCoordinator } from './state-transfer.js'
import { SyncClient } from './sync-client.js'
import { SyncServer } from './sync-server.js'

export interface SyncParts {
  readonly network: Pick<PeerNetwork, 'linkTo' | 'linksOf' | 'reject'>
  readonly ledger: SyncableLedger
  readonly clock: Clock
  readonly log: Logger
  readonly random: () => number
  readonly members: readonly string[]
  readonly settings: Settings<typeof syncKeys>
}

/** Both sides of state transfer over one network: what serves others, and what this peer fetches. */
export function createSync({ network, ledger, clock, log, random, members, settings }: SyncParts): {
  readonly handler: SyncHandler
  readonly transfer: StateTransferService
} {
  const validators = new Set(members)
  const server = new SyncServer({
    ledger,
    clock,
    isValidator: (id) => validators.has(id),
    patienceMs: settings['peer.sync.state.snapshot.writeTimeout'],
    log: (link, what) => network.reject(link, what),
  })
  const client = new SyncClient({ clock, snapshotChannelSize: settings['peer.sync.state.snapshot.channelSize'] })
  const transfer = new StateTransferCoordinator({
    ledger,
    client,
    clock,
    log,
    random,
    members,
    links: (ids) => (ids === undefined ? network.linksOf(PeerEndpoint_Type.VALIDATOR) : ids.flatMap((id) => network.linkTo(id) ?? [])),
    settings: {
      blocksChannelSize: settings['peer.sync.blocks.channelSize'],
      deltasChannelSize: settings['peer.sync.state.deltas.channelSize'],
      recoverDamage: settings['statetransfer.recoverdamage'],
      maxDeltas: settings['statetransfer.maxdeltas'],
      blockTimeoutMs: settings['statetransfer.timeout.singleblock'],
      deltaTimeoutMs: settings['statetransfer.timeout.singlestatedelta'],
      snapshotTimeoutMs: settings['statetransfer.timeout.fullstate'],
    },
  })
  const handler: SyncHandler = {
    received: (link: Link, message: Message) => (isRequest(message.type) ? server.received(link, message) : client.received(link, message)),
    closed(link) {
      server.closed(link)
      client.closed(link)
    },
  }
  return { handler, transfer }
}

function isRequest(type: Message_Type): boolean {
  return type === Message_Type.SYNC_GET_BLOCKS || type === Message_Type.SYNC_STATE_GET_DELTAS || type === Message_Type.SYNC_STATE_GET_SNAPSHOT
}
