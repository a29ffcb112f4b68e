interface Entry {
  readonly stored: Uint8Array
  readonly json: Buffer
}

/**
 * Blocks as JSON, by number, those asked for least recently dropped first. An entry is used only while the stored bytes are what it was made of: a
 * block that was missing or damaged may be written again by state transfer.
 */
export class BlockCache {
  readonly #entries = new Map<bigint, Entry>()
  #bytes = 0

  constructor(private readonly limitBytes: number) {}

  get(number: bigint, stored: Uint8Array, make: () => Buffer): Buffer {
    const found = this.#entries.get(number)
    if (found !== undefined) this.#drop(number, found)
    const entry = found !== undefined && Buffer.compare(found.stored, stored) === 0 ? found : { stored, json: make() }
    this.#entries.set(number, entry)
    this.#bytes += sizeOf(entry)
    for (const [oldest, { stored: oldStored, json }] of this.#entries) {
      if (this.#bytes <= this.limitBytes) break
      this.#drop(oldest, { stored: oldStored, json })
    }
    return entry.json
  }

  #drop(number: bigint, entry: Entry): void {
    this.#entries.delete(number)
    this.#bytes -= sizeOf(entry)
  }
}

function sizeOf({ stored, json }: Entry): number {
  return stored.length + json.length
}
