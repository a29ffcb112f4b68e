import { describe, expect, it } from 'vitest'
import { type AgreedSite, agreedSettings } from '../../plugins/consensus/agreed-settings.js'

const site: AgreedSite = {
  validators: ['vp0', 'vp1'],
  factory: { name: 'PBFT', version: '1.0.0' },
  options: { K: 10, timeouts: { request: 2000, batch: 1000 } },
  compatibility: 'weft',
  settings: { 'ledger.state.dataStructure.name': 'buckettree' },
}

describe('what a validator declares in its HELLO', () => {
  it('names each setting by its key, and each option of the engine', () => {
    expect([...agreedSettings(site).settings]).toEqual([
      ['peer.validator.compatibility', 'weft'],
      ['consensus.validators', 'vp0,vp1'],
      ['peer.validator.consensus.plugin', 'pbft 1.0.0'],
      ['ledger.state.dataStructure.name', 'buckettree'],
      ['option K of PBFT', '10'],
      ['option timeouts of PBFT', '{"batch":1000,"request":2000}'],
    ])
  })

  it('does not depend on the order in which options are written', () => {
    const other = agreedSettings({ ...site, options: { timeouts: { batch: 1000, request: 2000 }, K: 10 } })
    expect(new Map(other.settings)).toEqual(new Map(agreedSettings(site).settings))
  })

  it('tells long lists apart although they are shortened', () => {
    const many = Array.from({ length: 60 }, (_, index) => `vp${index}`)
    const declared = (validators: readonly string[]) => agreedSettings({ ...site, validators }).settings.get('consensus.validators') ?? ''
    expect(declared(many).length).toBeLessThan(100)
    expect(declared(many)).not.toBe(declared([...many].reverse()))
    expect(declared(many)).not.toBe(declared([...many.slice(0, -2), 'vp59', 'vp58']))
  })

  it('refuses originals, naming the key, unless the network is one of v0.6', () => {
    expect(agreedSettings(site).refuseOriginals).toContain('peer.validator.compatibility')
    expect(agreedSettings({ ...site, compatibility: 'v0.6' }).refuseOriginals).toBeUndefined()
  })
})
