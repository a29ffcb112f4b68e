import { describe, expect, it, vi } from 'vitest'
import { EpochRecord, SuccessionReport, SwapCandidate, type SwapObjection, SwapPlanMessage, SwapPlanRow } from '../../proto/index.js'
import type { DevBuild } from '../../plugins/engine-authoring/dev/build.js'
import { createSwapIn } from '../../plugins/engine-authoring/dev/swap-in.js'
import { lastNumber } from '../../plugins/engine-authoring/dev/tidy.js'
import type { Validator } from '../../plugins/engine-authoring/dev/validator.js'
import { candidateId } from '../../plugins/consensus/index.js'
import type { EngineShelf } from '../../plugins/engines/index.js'

const LIMITS = { plan: 300, order: 100, trial: 300, outdated: 50, start: 150 }
const NEEDED = 3

/** What the next swap does; without any it works. */
type Deed = 'objected' | 'not ordered' | 'refused on trial' | 'out of time' | 'hangs' | 'called off' | 'given up' | 'never begins'

/** Four validators, as they look from outside. */
class FakeNetwork {
  record = EpochRecord.fromPartial({ engine: 'pbft', version: '1.0.0', members: ['vp0', 'vp1', 'vp2', 'vp3'], crashed: 1, byzantine: 1, markersNeeded: 3 })
  candidate: SwapCandidate | undefined
  deed: Deed | undefined
  readonly calls: string[] = []
  /** A build was told of, after which the network has not what it had before. */
  isReplaced = false
  readonly away = new Set<string>()
  /** They need a second question, since they still load the code. */
  readonly slow = new Set<string>()
  refusal = ''
  objections: SwapObjection[] = []
  readonly installed = new Set<string>()
  readonly validators = ['vp0', 'vp1', 'vp2', 'vp3'].map((id) => this.validator(id))
  readonly shelf: EngineShelf = {
    install: async (file) => {
      const version = file.replace('.tgz', '')
      this.installed.add(version)
      return this.note(version)
    },
    list: async () => [...this.installed].map((version) => this.note(version)),
    remove: async (_, version) => void this.installed.delete(version),
  }

  readonly swap = createSwapIn({ validators: this.validators, shelf: this.shelf, options: '', fallback: 'pbft', limits: LIMITS })

  build(number: number, isOutdated = () => false): Promise<Awaited<ReturnType<typeof this.swap>>> {
    const version = `1.0.0-dev.${number}`
    const build: DevBuild = { name: 'weft-engine-mine', version, number, file: `${version}.tgz`, codeDigest: version }
    this.isReplaced = false
    return this.swap(build, new AbortController().signal, { isOutdated, onReplaced: () => (this.isReplaced = true) })
  }

  private note(version: string) {
    return { name: 'mine', version, codeDigest: version, package: { name: 'weft-engine-mine', version } }
  }

  private begin(engine: string, version: string, started: readonly number[]): void {
    const { epoch, activation } = this.record
    this.candidate = undefined
    this.record = EpochRecord.fromPartial({ ...this.record, epoch: epoch + 1n, activation: activation + 3n, engine, version, started: [...started] })
  }

  private validator(id: string): Validator {
    return {
      id,
      plan: async ({ engine = '', version = '' }) => {
        this.calls.push(`plan ${version}`)
        const rows = this.validators.map((other) => {
          const answered = !this.away.has(other.id) && !this.slow.delete(other.id)
          return SwapPlanRow.fromPartial({ id: other.id, answered, engine, version, epoch: this.record.epoch })
        })
        const objection = this.deed === 'objected' ? `${id}: no such option` : ''
        return SwapPlanMessage.fromPartial({ proposal: new TextEncoder().encode(version), rows, needed: NEEDED, objection })
      },
      propose: async (proposal) => {
        const version = new TextDecoder().decode(proposal)
        this.calls.push(`propose ${version}`)
        const { deed } = this
        if (deed === 'not ordered') {
          this.deed = undefined
          return undefined
        }
        if (deed === 'refused on trial') {
          this.refusal = 'its engine failed on trial: it threw'
          this.candidate = SwapCandidate.fromPartial({})
        } else if (deed === 'out of time') {
          this.candidate = SwapCandidate.fromPartial({})
          setTimeout(() => (this.candidate = undefined), LIMITS.trial + 50)
        } else if (deed === 'hangs') {
          this.candidate = SwapCandidate.fromPartial({})
        } else if (deed === 'given up') {
          const of = candidateId(proposal)
          this.objections = [
            { member: 1, candidate: of, reason: 'it returned a promise' },
            { member: 2, candidate: new Uint8Array(32), reason: 'an earlier one' },
            { member: 3, candidate: of, reason: 'it threw at src/index.ts:4:2' },
          ]
        } else if (deed !== 'called off') this.begin('mine', version, deed === 'never begins' ? [] : [0, 1, 2])
        this.deed = undefined
        return { block: 1n, error: '' }
      },
      cancel: async () => {
        this.calls.push('cancel')
        this.candidate = undefined
        this.refusal = ''
        return true
      },
      succession: async () => {
        if (this.away.has(id)) return undefined
        return SuccessionReport.fromPartial({ record: this.record, candidate: this.candidate, refusal: this.refusal, objections: this.objections })
      },
      recover: async (engine) => {
        this.calls.push(`recover ${id}`)
        if (this.calls.filter((call) => call.startsWith('recover')).length === this.validators.length) this.begin(engine, '1.0.0', [0, 1, 2])
      },
    }
  }
}

describe('a build on its way into a network', () => {
  it('is installed, proposed once, and there when its epoch has started', async () => {
    const network = new FakeNetwork()
    expect(await network.build(1)).toMatchObject({ epoch: 1n, block: 4n, recoveredWith: undefined })
    expect(network.calls).toEqual(['plan 1.0.0-dev.1', 'propose 1.0.0-dev.1'])
  })

  it('waits for validators that still load it, and not for those that do not run', async () => {
    const network = new FakeNetwork()
    network.slow.add('vp2')
    network.away.add('vp3')
    expect(await network.build(1)).toMatchObject({ epoch: 1n })
    expect(network.calls).toEqual(['plan 1.0.0-dev.1', 'plan 1.0.0-dev.1', 'propose 1.0.0-dev.1'])
  })

  it('leaves the two newest versions behind, the one that runs among them', async () => {
    const network = new FakeNetwork()
    network.installed.add('0.9.0')
    for (const number of [1, 2, 3]) await network.build(number)
    expect([...network.installed]).toEqual(['0.9.0', '1.0.0-dev.2', '1.0.0-dev.3'])
    for (const number of [4, 5]) {
      network.deed = 'objected'
      await expect(network.build(number)).rejects.toThrow('no such option')
    }
    expect([...network.installed]).toEqual(['0.9.0', '1.0.0-dev.3', '1.0.0-dev.5'])
    expect(await lastNumber(network.shelf, 'weft-engine-mine')).toBe(5)
  })

  it.each([
    ['objected', 'the swap is refused: vp0: no such option'],
    ['refused on trial', 'the swap is refused: 4 validators: its engine failed on trial: it threw'],
    ['out of time', 'the swap is refused: its trial did not end within 0.3 s: it ordered too little'],
    ['called off', expect.stringMatching(/its trial was called off after 0\.\d s, and no validator says why/)],
    ['given up', 'the swap is refused: vp1: it returned a promise; vp3: it threw at src/index.ts:4:2'],
  ] as const)('is told of when it is %s, and the network keeps what it has', async (deed, reason) => {
    const network = new FakeNetwork()
    network.deed = deed
    await expect(network.build(1)).rejects.toMatchObject({ code: 'ERR_SWAP_REFUSED', message: reason })
    expect(network.calls.includes('cancel')).toBe(deed === 'refused on trial')
    expect(network.record).toMatchObject({ epoch: 0n, engine: 'pbft' })
    expect(network.isReplaced).toBe(false)
  })

  it('that hangs on trial is called off for what was saved since, and the newer one comes in', async () => {
    const network = new FakeNetwork()
    network.deed = 'hangs'
    let isSavedAgain = false
    const hanging = network.build(1, () => isSavedAgain)
    await vi.waitFor(() => expect(network.candidate).toBeDefined())
    isSavedAgain = true
    await expect(hanging).rejects.toMatchObject({ code: 'ERR_SWAP_REFUSED', message: expect.stringContaining('gives way to what was saved since') })
    expect(network.calls.at(-1)).toBe('cancel')
    expect(await network.build(2)).toMatchObject({ epoch: 1n, recoveredWith: undefined })
  })

  it('comes after a recovery where nothing is ordered any more', async () => {
    const network = new FakeNetwork()
    network.deed = 'not ordered'
    expect(await network.build(1)).toMatchObject({ epoch: 2n, recoveredWith: 'pbft' })
    expect(network.calls.filter((call) => call.startsWith('recover'))).toEqual(['recover vp0', 'recover vp1', 'recover vp2', 'recover vp3'])
  })

  it('that is decided and orders nothing is told of, and the next one comes after a recovery', async () => {
    const network = new FakeNetwork()
    network.deed = 'never begins'
    await expect(network.build(1)).rejects.toMatchObject({ code: 'ERR_ENGINE_STUCK', message: expect.stringContaining('ordered nothing within 0.15 s') })
    expect(network.isReplaced).toBe(true)
    expect(await network.build(2)).toMatchObject({ epoch: 3n, recoveredWith: 'pbft' })
  })

  it('that is refused after a recovery leaves the network with another engine than it had', async () => {
    const network = new FakeNetwork()
    await network.build(1)
    network.deed = 'never begins'
    await expect(network.build(2)).rejects.toThrow('ordered nothing')
    network.deed = 'objected'
    await expect(network.build(3)).rejects.toMatchObject({ code: 'ERR_SWAP_REFUSED' })
    expect(network).toMatchObject({ isReplaced: true, record: { engine: 'pbft' } })
  })

  it('names those without whom there is no recovery', async () => {
    const network = new FakeNetwork()
    network.away.add('vp2').add('vp3')
    await expect(network.build(1)).rejects.toMatchObject({ code: 'ERR_ENGINE_STUCK', message: expect.stringContaining('vp2, vp3') })
  })
})
