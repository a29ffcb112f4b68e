import { describeEvent, shortHash, type Traced, type TraceEvent } from './trace.js'

/** A message in a diagram; `until` is missing if it never arrived. */
export interface DiagramMessage {
  readonly from: number
  readonly to: number
  readonly at: number
  until?: number
  readonly label: string
  readonly text: string
}

/** Something at one endpoint and moment. */
export interface DiagramMark {
  readonly at: number
  readonly lane: number
  readonly kind: 'commit' | 'crash' | 'start' | 'runs' | 'accepted' | 'timer' | 'log' | 'delivered' | 'transferred'
  readonly label: string
  readonly text: string
}

/** Something that lasts, on some lanes or (none) on all. */
export interface DiagramSpan {
  readonly at: number
  until: number
  readonly lanes: readonly number[]
  readonly text: string
}

export interface DiagramData {
  readonly endMs: number
  readonly messages: readonly DiagramMessage[]
  readonly marks: readonly DiagramMark[]
  /** Faults, and when each endpoint was down. */
  readonly faults: readonly DiagramSpan[]
  readonly down: readonly DiagramSpan[]
  readonly violations: readonly { readonly at: number; readonly text: string }[]
}

/** Says what an engine's message is, in a word or two; undefined: it does not know. */
export type MessageLabel = (bytes: Uint8Array) => string | undefined

const PREVIEW = 160

/** What a diagram shows of a trace. */
export function diagramData(events: readonly Traced[], labelOf: MessageLabel = jsonLabel): DiagramData {
  const reader = new TraceReader(labelOf)
  for (const { atMs, event } of events) reader.read(atMs, event)
  return reader.finish(events.at(-1)?.atMs ?? 0)
}

class TraceReader {
  readonly #messages = new Map<number, DiagramMessage>()
  readonly #marks: DiagramMark[] = []
  readonly #faults = new Map<number, DiagramSpan>()
  readonly #down = new Map<number, DiagramSpan>()
  readonly #spans: DiagramSpan[] = []
  readonly #gone: DiagramSpan[] = []
  readonly #violations: { at: number; text: string }[] = []
  /** The vote that the next message of an endpoint carries. */
  readonly #votes = new Map<number, string>()

  constructor(private readonly labelOf: MessageLabel) {}

  read(at: number, event: TraceEvent): void {
    switch (event.type) {
      case 'vote':
        this.#votes.set(event.at, `${event.slot}: ${event.value}`)
        return
      case 'sent':
        return this.#sent(at, event)
      case 'received': {
        const message = this.#messages.get(event.id)
        if (message) message.until = at
        return
      }
      case 'fault':
        return this.#fault(at, event)
      case 'violation':
        this.#violations.push({ at, text: `${event.kind}: ${event.text}` })
        return
      case 'link':
        return
      case 'starts':
      case 'stops':
      case 'repairs':
      case 'runs':
      case 'crashes':
      case 'event':
      case 'accepted':
      case 'logs':
      case 'committed':
        return this.#mark(at, event)
    }
  }

  finish(endMs: number): DiagramData {
    for (const span of [...this.#down.values(), ...this.#faults.values()]) span.until = endMs
    this.#gone.push(...this.#down.values())
    return { endMs, messages: [...this.#messages.values()], marks: this.#marks, faults: this.#spans, down: this.#gone, violations: this.#violations }
  }

  #sent(at: number, { id, from, to, bytes }: TraceEvent & { type: 'sent' | 'received' }): void {
    const vote = this.#votes.get(from)
    this.#votes.delete(from)
    const label = this.labelOf(bytes) ?? vote?.split(' ')[0] ?? 'message'
    const what = vote === undefined ? '' : `vote in ${vote}\n`
    this.#messages.set(id, { from, to, at, label, text: `${what}${bytes.length} bytes, sha256 ${shortHash(bytes)}\n${preview(bytes)}` })
  }

  #fault(at: number, { text, begins, members, fault }: TraceEvent & { type: 'fault' }): void {
    const known = this.#faults.get(fault)
    if (!begins) {
      if (known) known.until = at
      this.#faults.delete(fault)
      return
    }
    const span = { at, until: at, lanes: members, text }
    this.#faults.set(fault, span)
    this.#spans.push(span)
  }

  #mark(at: number, event: Exclude<TraceEvent, { type: 'vote' | 'sent' | 'received' | 'fault' | 'violation' | 'link' }>): void {
    const lane = event.at
    const add = (kind: DiagramMark['kind'], label: string, text: string): unknown => this.#marks.push({ at, lane, kind, label, text })
    switch (event.type) {
      case 'committed':
        add('commit', String(event.block), `block ${event.block}, ${event.transactions} transactions\nhash ${event.hash}`)
        break
      case 'accepted':
        add('accepted', event.txid, `accepted ${event.txid}`)
        break
      case 'logs':
        add('log', event.level, `${event.level}: ${event.text}`)
        break
      case 'crashes':
        this.#down.set(lane, { at, until: at, lanes: [lane], text: event.kind === 'power' ? 'without power' : 'down' })
        add('crash', '', { power: 'loses power', kill: 'is killed', disk: 'ends: its disk cannot write' }[event.kind])
        break
      case 'starts':
        this.#comesBack(at, lane)
        add('start', '', 'starts')
        break
      case 'runs':
        add('runs', '', `runs at height ${event.height}`)
        break
      case 'stops':
      case 'repairs':
        add('start', '', event.type)
        break
      case 'event':
        if (event.event.type === 'timer') add('timer', event.event.name, describeEvent(event.event))
        else if (event.event.type === 'delivered') add('delivered', event.event.tag, describeEvent(event.event))
        else if (event.event.type === 'transferred') add('transferred', '', describeEvent(event.event))
        break
    }
  }

  #comesBack(at: number, lane: number): void {
    const span = this.#down.get(lane)
    if (!span) return
    span.until = at
    this.#gone.push(span)
    this.#down.delete(lane)
  }
}

/** The word that many JSON protocols name their messages with. */
function jsonLabel(bytes: Uint8Array): string | undefined {
  if (bytes[0] !== 0x7b) return undefined
  return /^\{"(?:t|type|kind)":"([\w?-]{1,24})"/.exec(Buffer.from(bytes.subarray(0, 64)).toString('latin1'))?.[1]
}

function preview(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, PREVIEW)).toString('latin1')
  return `${text.replaceAll(/[^\x20-\x7e]/g, '·')}${bytes.length > PREVIEW ? '…' : ''}`
}
