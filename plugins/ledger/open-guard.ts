import { PeerError } from '../../kernel/index.js'

/** What can be open, one at a time (spec/ledger.md §10). */
export type Occupation = 'a batch' | 'a state delta' | 'a deletion of the state' | 'a replacement of the state'

/** Sees to it that one thing at a time changes the world state. */
export class OpenGuard {
  private open: Occupation | undefined
  private raisingBlock: bigint | undefined

  /** Throws ERR_LEDGER_BATCH_OPEN if something is open. */
  occupy(what: Occupation): void {
    if (this.open !== undefined) throw alreadyOpen(this.open, `${what} cannot begin`)
    if (this.raisingBlock !== undefined && what === 'a batch') throw alreadyOpen(`the storing of block ${this.raisingBlock}`, 'a batch cannot begin')
    this.open = what
  }

  vacate(): void {
    this.open = undefined
  }

  /** A block is being stored that raises the height: no batch, which is made for the next number, may be open until then. One at a time. */
  async raiseHeight<T>(block: bigint, work: () => Promise<T>): Promise<T> {
    if (this.open === 'a batch') throw alreadyOpen(this.open, `block ${block} cannot raise the height`)
    this.raisingBlock = block
    try {
      return await work()
    } finally {
      this.raisingBlock = undefined
    }
  }
}

function alreadyOpen(what: string, consequence: string): PeerError {
  return new PeerError('ERR_LEDGER_BATCH_OPEN', `${what} is open: ${consequence}`, { hint: 'commit it or roll it back first' })
}
