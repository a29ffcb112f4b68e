import { expect, it } from 'vitest'
import { statementText } from '../../../plugins/consensus/commands/recover.js'
import { RecoveryPlan } from '../../../proto/index.js'

const plan = RecoveryPlan.fromPartial({ members: ['vp0', 'vp1', 'vp2'], missing: [2] })
const row = (id: string, changes = {}): Parameters<typeof statementText>[0] => ({ id, stated: false, height: 0n, hash: new Uint8Array(0), differs: false, ...changes })

it.each([
  [row('vp0'), 'has not stated anything'],
  [row('vp0', { differs: true }), 'was told another plan'],
  [row('vp1', { stated: true, height: 7n, hash: Buffer.from('0123456789abcdef', 'hex') }), 'height 7, head 0123456789ab'],
  [row('vp2'), 'is not waited for: --accept-loss'],
])('%o: says who is waited for, and who is given up', (given, text) => {
  expect(statementText(given, plan)).toBe(text)
})
