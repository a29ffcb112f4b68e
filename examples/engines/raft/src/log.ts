import { type EngineHost, inParts, type RequestId } from 'weft/consensus'
import { Entry, Position } from './messages.js'
import { BASE, keyOf } from './records.js'

/** The log, in memory and on disk: entries after a base, up to which everything is delivered. */
export class Log {
  #base: Position
  readonly #entries: Entry[]
  /** Where each request stands, the last place if there are two. */
  readonly #places = new Map<RequestId, number>()
  /** Of the bodies. */
  bytes = 0

  constructor(
    private readonly host: EngineHost,
    base: Position,
    entries: readonly Entry[],
  ) {
    this.#base = base
    this.#entries = [...entries]
    entries.forEach((entry, offset) => this.#note(entry, base.index + 1 + offset))
  }

  /** The last entry that is not kept any more. */
  get base(): Position {
    return this.#base
  }

  get last(): Position {
    const term = this.#entries.at(-1)?.term ?? this.#base.term
    return { index: this.#base.index + this.#entries.length, term }
  }

  at(index: number): Entry | undefined {
    return this.#entries[index - this.#base.index - 1]
  }

  /** Undefined outside of the log. */
  termAt(index: number): number | undefined {
    return index === this.#base.index ? this.#base.term : this.at(index)?.term
  }

  placeOf(id: RequestId): number | undefined {
    return this.#places.get(id)
  }

  /** Entries from an index on: at least one if there is one, else no more than so many, and bytes. */
  from(index: number, maxEntries: number, maxBytes: number): readonly Entry[] {
    const first = index - this.#base.index - 1
    const entries = this.#entries.slice(first, first + maxEntries)
    return inParts(entries, { maxItems: maxEntries, maxBytes, bytesOf: ({ body }) => body.length }).next().value ?? []
  }

  append(entry: Entry): void {
    this.#entries.push(entry)
    const { index } = this.last
    this.#note(entry, index)
    this.host.put(keyOf(index), Entry.encode(entry))
  }

  /** Takes back everything from an index on. */
  truncate(from: number): void {
    for (let { index } = this.last; index >= from; index--) {
      this.host.delete(keyOf(index))
      this.#forget(this.#entries.pop(), index)
    }
  }

  /** Its requests may be ordered again: it did not become a block. */
  release(index: number): void {
    for (const { id } of this.at(index)?.requests ?? []) if (this.#places.get(id) === index) this.#places.delete(id)
  }

  /** Gives up the entries up to an index, all of them if that is not in the log with this term. */
  rebase(base: Position): void {
    const kept = this.termAt(base.index) === base.term ? base.index : this.last.index
    for (const [offset, entry] of this.#entries.splice(0, kept - this.#base.index).entries()) {
      this.host.delete(keyOf(this.#base.index + 1 + offset))
      this.#forget(entry, this.#base.index + 1 + offset)
    }
    this.#base = base
    this.host.put(BASE, Position.encode(base))
  }

  #note({ requests, body }: Entry, index: number): void {
    this.bytes += body.length
    for (const { id } of requests) this.#places.set(id, index)
  }

  #forget(entry: Entry | undefined, index: number): void {
    this.bytes -= entry?.body.length ?? 0
    for (const { id } of entry?.requests ?? []) if (this.#places.get(id) === index) this.#places.delete(id)
  }
}
