import { decode, encode, PeersAddresses } from '../../proto/index.js'
import type { Store } from '../level/index.js'

const MAX_ADDRESSES = 1000
const MAX_ADDRESS_LENGTH = 256
const ADDRESSES_KEY: Uint8Array = Buffer.from('discovery', 'latin1')

/** Addresses of peers that were connected once; kept over restarts if the site wants that. */
export class AddressBook {
  private readonly addresses = new Set<string>()
  private readonly namespace
  private writing = Promise.resolve()

  constructor(
    private readonly store: Store,
    private readonly persist: boolean,
    private readonly failed: (reason: unknown) => void,
  ) {
    this.namespace = store.namespace('network')
  }

  /** Reads what an earlier start kept, whether or not this one keeps anything (spec/node.md §2.3). */
  load(): readonly string[] {
    const stored = this.namespace.get(ADDRESSES_KEY)
    const { addresses } = stored === undefined ? { addresses: [] } : decode(PeersAddresses, stored)
    for (const address of addresses.slice(0, MAX_ADDRESSES)) if (isAddress(address)) this.addresses.add(address)
    return [...this.addresses]
  }

  /** False: it was known, cannot be dialled, or the book is full. */
  add(address: string): boolean {
    if (!isAddress(address) || this.addresses.has(address) || this.addresses.size >= MAX_ADDRESSES) return false
    this.addresses.add(address)
    this.save()
    return true
  }

  /** Forgets an address, such as this peer's own under another name. */
  remove(address: string): void {
    if (this.addresses.delete(address)) this.save()
  }

  /** Resolves when everything is on disk. */
  async close(): Promise<void> {
    await this.writing
  }

  private save(): void {
    if (!this.persist) return
    const batch = this.store.batch()
    batch.put(this.namespace, ADDRESSES_KEY, encode(PeersAddresses, { addresses: [...this.addresses] }))
    const write = this.store.commit(batch, 'record').catch(this.failed)
    this.writing = this.writing.then(() => write)
  }
}

/** Whether something that another peer sent can be an address: `host:port`. */
export function isAddress(address: string): boolean {
  return address.length <= MAX_ADDRESS_LENGTH && /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/.test(address)
}
