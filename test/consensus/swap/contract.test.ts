import { describe, expect, it } from 'vitest'
import { encode, EpochMarker, SwapCancel, SwapProposal, SwapReady } from '../../../proto/index.js'
import { BufferedState, callSuccession, candidateId, type ContractRules, Refusal } from '../../../plugins/consensus/index.js'
import { firstLeader } from '../../../plugins/consensus/swap/contract.js'
import { hasStarted } from '../../../plugins/consensus/swap/records.js'
import { candidateIn, GENESIS, hashOf, proposalOf, recordIn, rulesAt } from './contract-check.js'

const NONE = new Uint8Array(0)
const PROBE = Buffer.alloc(32, 7)
const PROPOSAL = encode(SwapProposal, proposalOf(0n))
const ID = candidateId(PROPOSAL)

const ready = (member: number, more: Partial<SwapReady> = {}): Uint8Array =>
  encode(SwapReady, { fromEpoch: 0n, candidate: ID, member, probe: PROBE, signature: NONE, ...more })
const cancel = (member: number, more: Partial<SwapCancel> = {}): Uint8Array =>
  encode(SwapCancel, { fromEpoch: 0n, candidate: ID, member, byOperator: false, signature: NONE, network: '', ...more })
const start = (member: number, more: Partial<EpochMarker> = {}): Uint8Array =>
  encode(EpochMarker, { epoch: 1n, member, hash: hashOf(5n), signature: NONE, recovered: undefined, ...more })

/** A chain of calls; `say` returns the refusal, if it is one, and then nothing has changed. */
class Chain {
  height = 5n
  readonly state = new BufferedState()
  readonly rules: ContractRules

  constructor(more: Partial<ContractRules> = {}) {
    this.rules = rulesAt(() => this.height, more)
  }

  async say(call: string, ...args: readonly Uint8Array[]): Promise<string | undefined> {
    try {
      await callSuccession(this.rules, this.state, call, args)
    } catch (error) {
      if (error instanceof Refusal) return error.message
      throw error
    }
    return undefined
  }

  async swapped(): Promise<this> {
    await this.say('prepare', PROPOSAL)
    for (const member of [0, 1, 2]) expect(await this.say('ready', ready(member))).toBeUndefined()
    expect(recordIn(this.state)?.epoch).toBe(1n)
    return this
  }
}

async function prepared(more: Partial<ContractRules> = {}): Promise<Chain> {
  const chain = new Chain(more)
  expect(await chain.say('prepare', PROPOSAL)).toBeUndefined()
  return chain
}

describe('calls of the succession', () => {
  it('decide a swap with N - f equal digests, at the height of the last', async () => {
    const chain = await prepared()
    for (const member of [3, 1]) await chain.say('ready', ready(member))
    expect(await chain.say('ready', ready(0, { probe: Buffer.alloc(32, 8) }))).toBeUndefined()
    expect(recordIn(chain.state)).toBeUndefined()
    chain.height = 9n
    expect(await chain.say('ready', ready(2))).toBeUndefined()
    expect(recordIn(chain.state)).toMatchObject({ epoch: 1n, engine: 'next', version: '2', activation: 9n, markersNeeded: 3, started: [] })
    expect(recordIn(chain.state)?.firstLeader).toBe(1)
    expect(candidateIn(chain.state)).toBeUndefined()
  })

  it('take f + 1 cancels of members, or one of an operator', async () => {
    const chain = await prepared()
    await chain.say('cancel', cancel(1))
    expect(candidateIn(chain.state)?.cancels).toEqual([1])
    await chain.say('cancel', cancel(2))
    expect(candidateIn(chain.state)).toBeUndefined()
    const other = await prepared()
    await other.say('cancel', cancel(0, { byOperator: true }))
    expect(candidateIn(other.state)).toBeUndefined()
  })

  it('start the epoch with the markers of N - f members', async () => {
    const chain = await new Chain().swapped()
    chain.height = 7n
    for (const member of [2, 0]) expect(await chain.say('start', start(member))).toBeUndefined()
    expect(recordIn(chain.state)).toSatisfy((record: NonNullable<ReturnType<typeof recordIn>>) => !hasStarted(record))
    await chain.say('start', start(3))
    expect(recordIn(chain.state)).toSatisfy(hasStarted)
  })

  it.each([
    ['no call at all', 'jump', [NONE], /expected one of prepare, ready, cancel, start; found 'jump'/],
    ['a call without argument', 'prepare', [], /'prepare' takes an argument; found none/],
    ['an argument that is none', 'prepare', [Buffer.from([255])], /the argument of 'prepare' cannot be read/],
    ['a proposal of another epoch', 'prepare', [encode(SwapProposal, proposalOf(1n))], /asked for in epoch 1; this is epoch 0/],
    ['no engine', 'prepare', [encode(SwapProposal, proposalOf(0n, 0, { engine: '' }))], /names an engine and its version/],
    ['no version', 'prepare', [encode(SwapProposal, proposalOf(0n, 0, { version: '' }))], /names an engine and its version/],
    ['options without end', 'prepare', [encode(SwapProposal, proposalOf(0n, 0, { options: 'x'.repeat(65_537) }))], /at most 65536 characters; found 65537/],
    ['other members', 'prepare', [encode(SwapProposal, proposalOf(0n, 0, { members: ['vp0', 'vp1', 'vp2'] }))], /members cannot change with a swap/],
    ['an engine without agreement', 'prepare', [encode(SwapProposal, proposalOf(0n, 0, { agreement: false }))], /gives no agreement among 4 validators/],
    ['a weaker engine', 'prepare', [encode(SwapProposal, proposalOf(0n, 0, { byzantine: 0 }))], /weaker than before, which --allow-weaker permits/],
    ['ready for nothing', 'ready', [ready(0)], /no swap is under way/],
    ['a cancel of nothing', 'cancel', [cancel(0)], /no swap is under way/],
    ['a marker of an epoch to come', 'start', [start(0)], /a marker of epoch 1 in epoch 0/],
  ] as const)('refuse %s', async (_, call, args, reason) => {
    const chain = new Chain()
    expect(await chain.say(call, ...args)).toMatch(reason)
    expect(chain.state.changes.size).toBe(0)
  })

  it.each([
    ['a second swap', 'prepare', [encode(SwapProposal, proposalOf(0n, 1, { number: 1n }))], /a swap to next@2 is under way/],
    ['ready for another swap', 'ready', [ready(0, { candidate: Buffer.alloc(32) })], /another swap is under way: to next@2/],
    ['ready in another epoch', 'ready', [ready(0, { fromEpoch: 3n })], /asked for in epoch 3; this is epoch 0/],
    ['ready of nobody', 'ready', [ready(4)], /there is no member 4/],
    ['a probe that is none', 'ready', [ready(0, { probe: Buffer.alloc(31) })], /a probe has 32 bytes; found 31/],
    ['a cancel of another epoch', 'cancel', [cancel(0, { fromEpoch: 1n })], /asked for in epoch 1; this is epoch 0/],
    ['a cancel of nobody', 'cancel', [cancel(9)], /there is no member 9/],
  ] as const)('refuse, while a swap is under way, %s', async (_, call, args, reason) => {
    expect(await (await prepared()).say(call, ...args)).toMatch(reason)
  })

  it('refuse what a member has said already', async () => {
    const chain = await prepared()
    await chain.say('ready', ready(2))
    expect(await chain.say('ready', ready(2, { probe: Buffer.alloc(32, 1) }))).toMatch(/member 2 was ready already/)
    await chain.say('cancel', cancel(2))
    expect(await chain.say('cancel', cancel(2))).toMatch(/member 2 has given up already/)
    const later = await new Chain().swapped()
    later.height = 7n
    await later.say('start', start(1))
    expect(await later.say('start', start(1))).toMatch(/member 1 has started already/)
    expect(await later.say('start', start(2, { hash: hashOf(4n) }))).toMatch(/member 2 has another block 5/)
    expect(await later.say('start', start(7))).toMatch(/there is no member 7/)
  })

  it('refuse the very proposal that was made before, also after it was cancelled', async () => {
    const chain = await prepared()
    await chain.say('cancel', cancel(0, { byOperator: true }))
    expect(await chain.say('prepare', PROPOSAL)).toMatch(/proposal 0 of an epoch that has seen 1/)
    expect(await chain.say('prepare', encode(SwapProposal, proposalOf(0n, 0, { number: 2n })))).toMatch(/proposal 2 of an epoch that has seen 1/)
    expect(await chain.say('prepare', encode(SwapProposal, proposalOf(0n, 0, { number: 1n })))).toBeUndefined()
  })

  it('take proposals without end in one epoch, as long as each is cancelled, in a state that does not grow', async () => {
    const chain = new Chain()
    for (let number = 0n; number < 1500n; number++) {
      const proposal = encode(SwapProposal, proposalOf(0n, 0, { number }))
      expect(await chain.say('prepare', proposal)).toBeUndefined()
      expect(await chain.say('cancel', cancel(0, { candidate: candidateId(proposal), byOperator: true }))).toBeUndefined()
    }
    expect([...chain.state.changes.values()].reduce((bytes, value) => bytes + (value?.length ?? 0), 0)).toBeLessThan(16)
    await chain.say('prepare', encode(SwapProposal, proposalOf(0n, 0, { number: 1500n })))
    for (const member of [0, 1, 2]) await chain.say('ready', ready(member, { candidate: candidateIn(chain.state)?.id ?? NONE }))
    expect(recordIn(chain.state)?.epoch).toBe(1n)
    expect(await chain.say('prepare', encode(SwapProposal, proposalOf(1n, 0)))).toBeUndefined()
  })

  it('refuse what a member has not signed, where members sign', async () => {
    const chain = await prepared({ verify: async (member, bytes, signature) => member.id === 'vp1' && bytes.length > 0 && signature.length === 1 })
    expect(await chain.say('ready', ready(0, { signature: Buffer.of(1) }))).toMatch(/not signed by vp0/)
    expect(await chain.say('ready', ready(1))).toMatch(/not signed by vp1/)
    expect(await chain.say('ready', ready(1, { signature: Buffer.of(1) }))).toBeUndefined()
  })

  it('lets a weaker engine pass if that is wanted, and then waits for fewer markers', async () => {
    const chain = new Chain({ genesis: { ...GENESIS, crashed: 0, byzantine: 0 } })
    expect(await chain.say('prepare', PROPOSAL)).toBeUndefined()
    for (const member of [0, 1, 2, 3]) await chain.say('ready', ready(member))
    expect(recordIn(chain.state)?.markersNeeded).toBe(3)
    const weaker = encode(SwapProposal, proposalOf(0n, 0, { byzantine: 0, crashed: 0, allowWeaker: true }))
    expect(await new Chain().say('prepare', weaker)).toBeUndefined()
  })

  it('name the first leader among those who were ready', () => {
    expect(firstLeader(5n, 4, [0, 1, 2, 3])).toBe(1)
    expect(firstLeader(5n, 4, [0, 3])).toBe(3)
    expect(firstLeader(7n, 4, [0, 1])).toBe(0)
  })
})
