import type { ObjectionNote, SwapObjection } from '../../../proto/index.js'
import { printable } from '../../terminal/index.js'
import type { MemberIndex } from '../engine/engine.js'
import type { HostNotes } from '../notes.js'

const ID_BYTES = 32
const MOST_CHARACTERS = 500

/**
 * Why members take no part in a swap, as each of them last said. They tell each other in notes, beside the chain and for people alone: no reason is known for
 * sure, none decides anything, and a member that lies deceives those who read it.
 */
export class Objections {
  private readonly said = new Map<MemberIndex, SwapObjection>()

  constructor(
    private readonly self: MemberIndex,
    private readonly notes: Pick<HostNotes, 'tell'>,
  ) {}

  /** This validator takes no part in a candidate. */
  say(candidate: Uint8Array, reason: string): void {
    const value = { candidate, reason: shown(reason) }
    this.keep(this.self, value)
    this.notes.tell({ $case: 'objection', value })
  }

  heard(from: MemberIndex, note: ObjectionNote): void {
    if (note.candidate.length === ID_BYTES) this.keep(from, note)
  }

  /** In the order of the members. */
  list(): readonly SwapObjection[] {
    return [...this.said.values()].sort((left, right) => left.member - right.member)
  }

  private keep(member: MemberIndex, { candidate, reason }: ObjectionNote): void {
    this.said.set(member, { member, candidate, reason: shown(reason) })
  }
}

/** What a member says, as one line of bounded length that a terminal shows as it is. */
export function shown(text: string): string {
  return printable(text, MOST_CHARACTERS)
}
