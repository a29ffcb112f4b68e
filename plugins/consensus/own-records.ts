import { PeerError } from '../../kernel/index.js'
import type { Store } from '../level/index.js'
import type { Member, MemberIndex } from './engine/engine.js'

const ROW = Buffer.from('i')

/**
 * A store has the votes of one validator, and what was accepted there. On a copy of it another validator would go on from votes that it never cast, and cast its own
 * anew: that is a lie which no engine has to tolerate in two. The first validator that runs on a store is remembered.
 *
 * @throws PeerError ERR_CONSENSUS_OWNER if that is another member
 */
export async function requireOwnRecords(store: Store, members: readonly Member[], self: MemberIndex): Promise<void> {
  const namespace = store.namespace('consensus')
  const id = members[self]?.id ?? ''
  const row = namespace.get(ROW)
  const owner = row && Buffer.from(row).toString()
  if (owner === id) return
  if (owner !== undefined && members.some((member) => member.id === owner)) {
    throw new PeerError('ERR_CONSENSUS_OWNER', `expected the data directory of ${id}; found that of ${owner}, whose votes are in it`, {
      hint: `a validator does not run on a copy of another's. Give ${id} its own directory, or an empty one, in which it takes the chain of the others; peer ledger export and import carry a chain over`,
    })
  }
  const batch = store.batch()
  batch.put(namespace, ROW, Buffer.from(id))
  await store.commit(batch, 'record')
}
