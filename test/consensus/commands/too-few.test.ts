import { expect, it } from 'vitest'
import { tooFew } from '../../../plugins/consensus/commands/swap.js'

const row = (id: string, halted = ''): { readonly id: string; readonly halted: string } => ({ id, halted })

it('a swap for which too many are absent says how to go on without them', () => {
  expect(tooFew([row('vp0'), row('vp1')], 2, 1)).toMatchObject({
    message: 'a swap needs 2 validators that take part; found 1',
    hint: 'start those that are absent; without one that is gone for good: peer consensus recover … --accept-loss (docs/guides/runbook.md)',
  })
})

it('a swap for which too many engines are halted names them, and the way out', () => {
  expect(tooFew([row('vp0'), row('vp1', 'it threw')], 2, 1)).toMatchObject({
    message: 'a swap needs 2 validators that take part; found 1; vp1 orders nothing: it threw',
    hint: expect.stringContaining('restart-engine, or recover on every validator'),
  })
})
