/**
 * The open streams of an HTTP/2 session, in slots that are used again.
 *
 * Node keeps them in a Map. A Map that has lived for a while is old to the collector of garbage, and so is every table that it makes when the last one is full of
 * deleted entries: hundreds of calls. The dead tables still hold the calls that were open then, and what is old is not looked at for long: so nearly every call that
 * has ended, with all that hangs on it, is copied and made old in its turn, until everything is marked. That is a third of the CPU of a call. Here the table that
 * is made anew holds numbers alone.
 */
export class StreamSlots {
  private readonly slotOf = new Map<number, number>()
  private readonly streams: (object | undefined)[] = []
  private readonly free: number[] = []

  get size(): number {
    return this.slotOf.size
  }

  has(id: number): boolean {
    return this.slotOf.has(id)
  }

  get(id: number): object | undefined {
    const slot = this.slotOf.get(id)
    return slot === undefined ? undefined : this.streams[slot]
  }

  set(id: number, stream: object): this {
    const slot = this.slotOf.get(id) ?? this.free.pop() ?? this.streams.length
    this.slotOf.set(id, slot)
    this.streams[slot] = stream
    return this
  }

  delete(id: number): boolean {
    const slot = this.slotOf.get(id)
    if (slot === undefined) return false
    this.slotOf.delete(id)
    this.streams[slot] = undefined
    this.free.push(slot)
    return true
  }

  clear(): void {
    for (const id of this.keys()) this.delete(id)
  }

  forEach(visit: (stream: object, id: number, streams: this) => void): void {
    for (const [id, stream] of this.entries()) visit(stream, id, this)
  }

  /** In the order in which they were opened, as of now: streams may end while they are visited. */
  entries(): IterableIterator<[number, object]> {
    const open = [...this.slotOf].flatMap(([id, slot]): [number, object][] => {
      const stream = this.streams[slot]
      return stream === undefined ? [] : [[id, stream]]
    })
    return open[Symbol.iterator]()
  }

  keys(): IterableIterator<number> {
    return [...this.slotOf.keys()][Symbol.iterator]()
  }

  values(): IterableIterator<object> {
    return [...this.entries()].map(([, stream]) => stream)[Symbol.iterator]()
  }

  [Symbol.iterator](): IterableIterator<[number, object]> {
    return this.entries()
  }
}

/** Does {@link keepInSlots} once for each session on which calls come. */
export class SlottedSessions {
  private readonly seen = new WeakSet<object>()

  called(call: object): void {
    const session = sessionOf(call)
    if (session === undefined || this.seen.has(session)) return
    this.seen.add(session)
    keepInSlots(session)
  }
}

/** Not part of grpc-js's types either. */
function sessionOf(call: object): object | undefined {
  const layer: unknown = 'call' in call ? call.call : undefined
  const stream: unknown = typeof layer === 'object' && layer !== null && 'stream' in layer ? layer.stream : undefined
  const session: unknown = typeof stream === 'object' && stream !== null && 'session' in stream ? stream.session : undefined
  return typeof session === 'object' && session !== null ? session : undefined
}

/**
 * Makes an HTTP/2 session keep its streams in {@link StreamSlots}. Returns whether it does: where a version of Node keeps them otherwise than is known here, nothing
 * is changed, and test/grpc/stream-slots.test.ts says so.
 */
export function keepInSlots(session: object): boolean {
  const state = stateOf(session)
  if (state === undefined || !('streams' in state) || !isStreams(state.streams)) return false
  const slots = new StreamSlots()
  state.streams.forEach((stream, id) => slots.set(id, stream))
  state.streams = slots
  return true
}

/** What Node keeps in a session, under a symbol of its own. */
function stateOf(session: object): object | undefined {
  const symbol = Object.getOwnPropertySymbols(session).find(({ description }) => description === 'state')
  const value: unknown = symbol === undefined ? undefined : Reflect.get(session, symbol)
  return typeof value === 'object' && value !== null ? value : undefined
}

/** What is used of Node's collection, whose class is one of its own. */
interface Streams {
  forEach(visit: (stream: object, id: number) => void): void
}

function isStreams(value: unknown): value is Streams {
  if (typeof value !== 'object' || value === null) return false
  return 'size' in value && 'get' in value && 'set' in value && 'delete' in value && 'forEach' in value && Object.keys(value).length === 0
}
