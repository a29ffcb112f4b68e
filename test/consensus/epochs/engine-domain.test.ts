import { describe, expect, it } from 'vitest'
import type { ConsensusHostOptions, ConsensusSigner, Member } from '../../../plugins/consensus/index.js'
import { engineDomain, type SigningPlace } from '../../../plugins/consensus/epochs/engine-domain.js'
import { createKeyedHashSigner } from '../../kit/index.js'
import { createBench, engineOf, settle } from '../kit/harness.js'

const BYTES = Buffer.from('vote 1 2 3')
const members: Member[] = ['vp0', 'vp1'].map((id, index) => ({ index, id }))

/** What an engine's signature is, and whether one that was made elsewhere holds. */
async function signedIn(options: Pick<ConsensusHostOptions, 'network' | 'hasFixedEngine'>, elsewhere: Uint8Array = BYTES) {
  const asked: string[] = []
  const inner = createKeyedHashSigner({ index: 0, id: 'vp0' })
  const signer: ConsensusSigner = {
    sign: (bytes) => {
      asked.push(Buffer.from(bytes).toString('latin1'))
      return inner.sign(bytes)
    },
    verify: (member, bytes, signature) => inner.verify(member, bytes, signature),
  }
  const { host, events } = createBench(
    engineOf((engineHost) => {
      engineHost.sign('s', BYTES)
      return {
        onSigned: (_token, signature) =>
          engineHost.verify('v', [
            { member: 0, bytes: BYTES, signature },
            { member: 0, bytes: BYTES, signature: elsewhere },
          ]),
      }
    }),
    { signer, ...options },
  )
  await host.start()
  await settle()
  const signature = events.flatMap((event) => (event.type === 'signed' ? [event.signature] : []))[0]
  const verdicts = events.flatMap((event) => (event.type === 'verified' ? [event.verdicts] : []))[0]
  return { asked, signature, verdicts }
}

describe('what an engine signs', () => {
  it('holds in its own network, and not in another one with the same members and keys', async () => {
    const { signature } = await signedIn({ network: 'north' })
    expect((await signedIn({ network: 'north' }, signature)).verdicts).toEqual([true, true])
    expect((await signedIn({ network: 'south' }, signature)).verdicts).toEqual([true, false])
  })

  it('is never a word of the host: an engine cannot have signed what the host says with the same key', async () => {
    const { asked } = await signedIn({})
    expect(asked).toHaveLength(1)
    expect(asked[0]?.slice(32)).toBe(BYTES.toString('latin1'))
  })

  it('is the bytes themselves where originals verify it (spec/consensus.md §5.6)', async () => {
    expect((await signedIn({ hasFixedEngine: true })).asked).toEqual([BYTES.toString('latin1')])
  })

  it('holds in one epoch, of one candidate, after one block, in its trial or outside, among the same members with the same keys', () => {
    const place: SigningPlace = { network: '', members, epoch: { epoch: 3n, candidate: Buffer.from('c'), activation: 7n }, isTrial: false }
    const others: SigningPlace[] = [
      { ...place, network: 'other' },
      { ...place, members: members.slice(1) },
      { ...place, members: members.map((member) => ({ ...member, key: Buffer.from('k') })) },
      { ...place, epoch: { ...place.epoch, epoch: 4n } },
      { ...place, epoch: { ...place.epoch, candidate: Buffer.from('d') } },
      { ...place, epoch: { ...place.epoch, activation: 8n } },
      { ...place, isTrial: true },
    ]
    const domains = [place, ...others].map((each) => Buffer.from(engineDomain(each)).toString('hex'))
    expect(new Set(domains).size).toBe(domains.length)
    expect(domains.every((domain) => domain.length === 64)).toBe(true)
  })
})
