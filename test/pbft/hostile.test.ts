import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Bench } from './kit/bench.js'
import { type Transcript, unhex, inBatchMessage, vectorText } from './kit/transcripts.js'

const { transcripts }: { transcripts: Transcript[] } = JSON.parse(vectorText('transcripts'))
const recorded = transcripts
  .flatMap(({ steps }) => steps)
  .flatMap(({ input }) => (input.type === 'message' ? [{ from: Number(input.from), bytes: inBatchMessage(unhex(input.pbftMessageHex ?? '')) }] : []))

/** A recorded message with some bytes changed, cut or repeated. */
const mutated = fc
  .record({
    index: fc.nat(recorded.length - 1),
    from: fc.nat(3),
    keepSender: fc.boolean(),
    edits: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
    cut: fc.option(fc.nat(), { freq: 4 }),
  })
  .map(({ index, from, keepSender, edits, cut }) => {
    const message = recorded[index] ?? { from: 0, bytes: new Uint8Array() }
    const bytes = message.bytes.slice()
    for (const [at, value] of edits) if (bytes.length > 0) bytes[at % bytes.length] = value
    return { from: keepSender ? message.from : from, bytes: cut === null ? bytes : bytes.subarray(0, cut % (bytes.length + 1)) }
  })
const event = fc.oneof(
  { weight: 12, arbitrary: mutated },
  { weight: 1, arbitrary: fc.constantFrom('newView', 'vcResend', 'nullRequest', 'batch', 'tick', 'fetch', 'announce', 'unknown') },
)

describe('hostile messages', () => {
  it('never make the engine throw, whatever is changed in them and whenever timers fire', () => {
    fc.assert(
      fc.property(fc.nat(3), fc.array(event, { minLength: 20, maxLength: 120 }), (self, events) => {
        const bench = new Bench({ self, options: { K: 2, logmultiplier: 2, 'timeout.nullrequest': '5s' } }).begin()
        for (const happening of events) {
          if (typeof happening === 'string') bench.fire(happening)
          else if (happening.from !== self) bench.message(happening.from, happening.bytes)
        }
        const { slots, L, viewChanges, newViews } = bench.replica
        expect(slots.size).toBeLessThanOrEqual(L)
        expect(newViews.size).toBeLessThanOrEqual(4)
        for (const changes of viewChanges.values()) expect(changes.size).toBeLessThanOrEqual(4)
      }),
      { numRuns: 300 },
    )
  })
})
