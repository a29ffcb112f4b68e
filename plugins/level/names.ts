import { PeerError } from '../../kernel/index.js'
import type { Backend } from './backend.js'
import { corrupt } from './errors.js'
import { OWN_NUMBER } from './format.js'
import { MAX_PREFIX_NUMBER, prefixOf, prefixed } from './prefix.js'

/** Begins the keys of the table, among the store's own records. */
export const NAME_ROW_PREFIX = 'namespace/'
/** The character after `/`: ends the range of names. */
const NAME_END = 'namespace0'
const NAME_PATTERN = /^[a-z][a-z0-9-]*$/
const MAX_NAME_LENGTH = 64

/** Names of namespaces and their numbers, as stored: key `namespace/<name>`, value the number in decimal. Numbers are never reused. */
export class NameTable {
  readonly #numbers: Map<string, number>
  #next: number

  private constructor(numbers: Map<string, number>) {
    this.#numbers = numbers
    this.#next = 1 + Math.max(OWN_NUMBER, ...numbers.values())
  }

  /** Reads the table. Throws ERR_STORE_CORRUPT if it cannot be right. */
  static async load(db: Backend): Promise<NameTable> {
    const own = prefixOf(OWN_NUMBER)
    const rows = db.iterator<Uint8Array, Uint8Array>({ gte: prefixed(own, Buffer.from(NAME_ROW_PREFIX)), lt: prefixed(own, Buffer.from(NAME_END)) })
    const numbers = new Map<string, number>()
    for await (const [key, value] of rows) {
      const name = Buffer.from(key)
        .toString('latin1')
        .slice(own.length + NAME_ROW_PREFIX.length)
      const number = Number(Buffer.from(value).toString('latin1'))
      const sound = Number.isInteger(number) && number > OWN_NUMBER && number < MAX_PREFIX_NUMBER
      if (!sound || [...numbers.values()].includes(number)) throw corrupt('reading its namespaces', new Error(`namespace ${name} has the number ${number}`))
      numbers.set(name, number)
    }
    return new NameTable(numbers)
  }

  /** The number of a name; `isNew` if it has yet to be stored. Throws ERR_STORE_NAMESPACE for a bad name or a full table. */
  number(name: string): { readonly number: number; readonly isNew: boolean } {
    const known = this.#numbers.get(name)
    if (known !== undefined) return { number: known, isNew: false }
    if (!NAME_PATTERN.test(name) || name.length > MAX_NAME_LENGTH) {
      throw new PeerError(
        'ERR_STORE_NAMESPACE',
        `expected a name of at most ${MAX_NAME_LENGTH} characters a-z, 0-9 and -, beginning with a letter, found ${JSON.stringify(name)}`,
      )
    }
    if (this.#next >= MAX_PREFIX_NUMBER)
      throw new PeerError('ERR_STORE_NAMESPACE', `expected fewer than ${MAX_PREFIX_NUMBER} namespaces, found that many already`)
    const number = this.#next++
    this.#numbers.set(name, number)
    return { number, isNew: true }
  }
}
