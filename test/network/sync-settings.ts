import type { createSync } from '../../plugins/network/state-transfer/create.js'

export type SyncSettings = Parameters<typeof createSync>[0]['settings']

/** The defaults of the keys of state transfer, with changes. */
export function syncSettings(changes: Partial<SyncSettings>): SyncSettings {
  return {
    'peer.sync.blocks.channelSize': 10,
    'peer.sync.state.deltas.channelSize': 20,
    'peer.sync.state.snapshot.channelSize': 50,
    'peer.sync.state.snapshot.writeTimeout': 60_000,
    'statetransfer.recoverdamage': true,
    'statetransfer.maxdeltas': 200,
    'statetransfer.timeout.singleblock': 2000,
    'statetransfer.timeout.singlestatedelta': 2000,
    'statetransfer.timeout.fullstate': 60_000,
    ...changes,
  }
}
