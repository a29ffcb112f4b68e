import { type Check, type CheckContext, expect } from './check.js'

const MOST = 100

/** What the engine says of itself, beyond what the conformance suite asks. */
export function promiseChecks({ loaded }: CheckContext): Check[] {
  const { factory } = loaded
  return [
    {
      part: 'promises',
      name: 'tolerates(n) is the same each time',
      kind: 'contract',
      run: () => {
        for (let n = 1; n <= MOST; n += 1) {
          const [first, second] = [factory.tolerates(n), factory.tolerates(n)]
          expect(
            first.crashed === second.crashed && first.byzantine === second.byzantine,
            `tolerates(${n}) gave ${JSON.stringify(first)}, then ${JSON.stringify(second)}`,
          )
        }
      },
    },
    {
      part: 'promises',
      name: 'more validators never bear less',
      kind: 'contract',
      run: () => {
        for (let n = 2; n <= MOST; n += 1) {
          const [fewer, more] = [factory.tolerates(n - 1), factory.tolerates(n)]
          expect(
            more.crashed >= fewer.crashed && more.byzantine >= fewer.byzantine,
            `tolerates(${n - 1}) is ${JSON.stringify(fewer)}, tolerates(${n}) is ${JSON.stringify(more)}`,
          )
        }
      },
    },
    {
      part: 'promises',
      name: 'one validator alone bears nothing, and without agreement nobody does',
      kind: 'contract',
      run: () => {
        const { crashed, byzantine } = factory.tolerates(1)
        expect(crashed === 0 && byzantine === 0, `tolerates(1) is { crashed: ${crashed}, byzantine: ${byzantine} }`)
        const liars = factory.agreement ? 0 : Math.max(...Array.from({ length: MOST }, (_, n) => factory.tolerates(n + 1).byzantine))
        expect(liars === 0, `an engine without agreement promises to bear ${liars} Byzantine members`)
      },
    },
    {
      part: 'promises',
      name: 'bears somebody',
      kind: 'contract',
      run: () => {
        const { crashed } = factory.tolerates(7)
        return crashed > 0 ? undefined : { warning: 'of 7 validators none may fail for good: fit for learning, and for networks that can wait' }
      },
    },
  ]
}
