import { describe, expect, it } from 'vitest'
import { cutPower } from './power-cut.js'

/** All of them: WEFT_POWER_CUTS=10000. */
const CUTS = Number(process.env['WEFT_POWER_CUTS'] ?? 500)
const FIRST_SEED = Number(process.env['WEFT_POWER_CUTS_SEED'] ?? 1)
const CUTS_PER_PEER = 25

describe('a validator whose power is cut at any moment', () => {
  it(`restarts by itself ${CUTS} times: on a block boundary, verified, with everything reported and accepted, nothing twice`, async () => {
    const total = { accepted: 0, blocks: 0, cutsWhileStarting: 0, cuts: 0 }
    for (let seed = FIRST_SEED; total.cuts < CUTS; seed += 1) {
      try {
        const { accepted, blocks, cutsWhileStarting } = await cutPower(seed, Math.min(CUTS_PER_PEER, CUTS - total.cuts))
        total.accepted += accepted
        total.blocks += blocks
        total.cutsWhileStarting += cutsWhileStarting
        total.cuts += Math.min(CUTS_PER_PEER, CUTS - total.cuts)
      } catch (cause) {
        throw new Error(`after ${total.cuts} cuts: WEFT_POWER_CUTS_SEED=${seed}`, { cause })
      }
    }
    process.stdout.write(`power cuts: ${JSON.stringify(total)}\n`)
    expect(total.accepted).toBeGreaterThan(CUTS)
    expect(total.blocks).toBeGreaterThan(CUTS)
  }, 3_600_000)
})
