import type { Logger } from '../../kernel/index.js'
import { decode, encode, HostNote, WireError } from '../../proto/index.js'
import type { ConsensusTransport } from './consensus.js'
import type { MemberIndex } from './engine/engine.js'

/** What one host tells another. */
export type Note = NonNullable<HostNote['note']>

export interface HostNotesOptions {
  readonly members: number
  readonly self: MemberIndex
  /** None: there is nobody to talk to. */
  readonly transport: ConsensusTransport | undefined
  readonly log: Logger
}

export interface NoteHandlers {
  note(from: MemberIndex, note: Note): void
  /** A member that understands notes came, or went. */
  peer(member: MemberIndex, up: boolean): void
}

/** Of notes other than engines' messages, which are the transport's affair. */
const MAX_NOTE_BYTES = 256 * 1024

/** Notes between the hosts of consensus, Weft peers alone, and messages of engines of later epochs. */
export class HostNotes {
  /** The message that was wrapped last: a broadcast is the same bytes for each member, wrapped and encoded once. */
  private last: { readonly message: Uint8Array; readonly epoch: bigint; readonly trial: Uint8Array; readonly bytes: Uint8Array } | undefined

  constructor(private readonly options: HostNotesOptions) {}

  receive(handlers: NoteHandlers): void {
    const { transport, members, self } = this.options
    transport?.receive({
      message: (from, bytes) => {
        const read = from === self || from >= members ? undefined : this.read(from, bytes)
        if (read) handlers.note(from, read)
      },
      peer: (member, up) => handlers.peer(member, up),
    })
  }

  /** To one member, or to all others. */
  tell(note: Note, to?: MemberIndex): void {
    const { members, self, transport } = this.options
    if (!transport) return
    const bytes = encode(HostNote, { note })
    for (let member = 0; member < members; member++) if (member !== self && (to === undefined || member === to)) transport.send(member, bytes)
  }

  /** A message of the engine of an epoch, or of the candidate `trial`. */
  engine(to: MemberIndex, epoch: bigint, trial: Uint8Array, message: Uint8Array): void {
    const { last } = this
    const isSame = last !== undefined && last.message === message && last.epoch === epoch && last.trial === trial
    const bytes = isSame ? last.bytes : encode(HostNote, { note: { $case: 'engine', value: { epoch, trial, message } } })
    if (!isSame) this.last = { message, epoch, trial, bytes }
    this.options.transport?.send(to, bytes)
  }

  private read(from: MemberIndex, bytes: Uint8Array): Note | undefined {
    const { log } = this.options
    try {
      const { note } = decode(HostNote, bytes)
      if (note?.$case === 'engine' || bytes.length <= MAX_NOTE_BYTES) return note
      log.debug('a note of a member is dropped: it is too long', { member: from, bytes: bytes.length })
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      log.debug('a note of a member is dropped: it cannot be read', { member: from, reason: error.message })
    }
    return undefined
  }
}
