import { describe, expect, it } from 'vitest'
import { HeadWatch } from '../../../plugins/consensus/chain/heads.js'
import { Block, BlockchainInfo } from '../../../proto/index.js'
import { createVirtualClock, VirtualTime } from '../../kit/virtual-clock.js'

const HEIGHT = 100_000n
const hashOf = (height: bigint): Uint8Array => Buffer.from(`block below ${height}`)

/** A watch over a long chain; `reads`: how many blocks were read. */
function watchOf() {
  const time = new VirtualTime()
  const seen = { reads: 0, differs: 0, strays: 0 }
  const watch = new HeadWatch({
    members: 4,
    self: 0,
    quorum: () => 2,
    ledger: {
      height: () => HEIGHT,
      info: () => BlockchainInfo.fromPartial({ height: HEIGHT, currentBlockHash: hashOf(HEIGHT) }),
      block(number) {
        seen.reads++
        return { ...Block.fromPartial({}), previousBlockHash: hashOf(number) }
      },
    },
    notes: { tell: () => undefined },
    clock: createVirtualClock(time),
    differs: () => void seen.differs++,
    splits: () => undefined,
    strays: () => void seen.strays++,
  })
  return { watch, seen, time }
}

describe('heads that others say', () => {
  it('long past and without end cost a few looks into the ledger', () => {
    const { watch, seen } = watchOf()
    for (let note = 0n; note < 1000n; note++)
      watch.heard(
        1,
        Array.from({ length: 17 }, (_, place) => ({ height: 1n + note * 17n + BigInt(place), hash: Buffer.from('a lie') })),
      )
    expect(seen.reads).toBeLessThan(200)
  })

  it('are compared nevertheless, also old ones, and the newest always', () => {
    const { watch, seen, time } = watchOf()
    const note = (height: bigint) => [{ height, hash: Buffer.from('another') }]
    for (let height = 1n; height < 1000n; height++) watch.heard(1, note(height))
    for (const member of [2, 3]) watch.heard(member, note(990n))
    expect(seen.differs).toBe(1)
    seen.strays = 0
    watch.heard(1, note(HEIGHT))
    expect(seen.strays).toBe(1)
    time.advanceTo(2000)
    watch.heard(1, note(600n))
    expect(seen.strays).toBe(2)
  })
})
