import { hex } from '../../../proto/index.js'
import { type Check, type CheckContext, expect } from './check.js'
import { recordedLives, type Recording } from './lives.js'

const INSTANCES = 24
const MESSAGES = 1000
const FLOOD = 20_000
const NOISE_BYTES = 512

/** Bytes that no honest member would send, to instances in the middle of their lives. */
export function hostileChecks(context: CheckContext): Check[] {
  const { kit, loaded, options } = context
  const { factory } = loaded
  const lives = recordedLives(context)
  return [
    {
      part: 'hostile',
      name: 'drops damaged, spliced, foreign and random bytes',
      kind: 'contract',
      run: async () => {
        const recordings = await lives()
        const random = kit.createRandom(7).fork('hostile bytes')
        const real = recordings.flatMap(({ calls }) => calls.flatMap(({ event }) => (event.type === 'message' ? [event.bytes] : [])))
        let told = 0
        for (let count = 0; count < INSTANCES; count += 1) {
          const recording = random.pick(recordings)
          const cut = { ...recording, calls: recording.calls.slice(0, 1 + random.below(recording.calls.length)) }
          const { tell } = kit.revive(factory, factory.parseOptions(options), cut)
          for (let message = 0; message < MESSAGES; message += 1) {
            const bytes = real.length > 0 && random.chance(0.8) ? kit.damage(random.pick(real), random.pick(real), random) : noise(random, 300)
            const from = otherMember(recording, random)
            const { effects, returned } = tell((engine) => engine.onMessage?.(from, bytes))
            const halt = effects.find((effect) => effect.startsWith('halt('))
            expect(
              halt === undefined && returned === undefined,
              `expected that bytes of member ${from} are dropped; the engine ${halt ?? `returned ${String(returned)}`} for ${hex(bytes).slice(0, 200)}`,
            )
            told += 1
          }
        }
        return { detail: `${told} messages, ${real.length === 0 ? 'all of them noise: the engine sends none' : 'most of them damaged real ones'}` }
      },
    },
    {
      part: 'hostile',
      name: 'does not keep what strangers send without end',
      kind: 'contract',
      run: async () => {
        const [recording] = [...(await lives())].sort((a, b) => b.calls.length - a.calls.length)
        if (!recording || recording.members.length === 1) return { skipped: 'with one validator nobody sends' }
        const random = kit.createRandom(8).fork('flood')
        const { tell } = kit.revive(factory, factory.parseOptions(options), recording)
        const real = recording.calls.flatMap(({ event }) => (event.type === 'message' ? [event.bytes] : []))
        const before = await kit.usedMemoryBytes()
        let sent = 0
        for (let message = 0; message < FLOOD; message += 1) {
          const bytes = real.length > 0 && random.chance(0.5) ? kit.damage(random.pick(real), noise(random, NOISE_BYTES), random) : noise(random, NOISE_BYTES)
          sent += bytes.length
          tell((engine) => engine.onMessage?.(otherMember(recording, random), bytes))
        }
        const kept = Math.max(0, (await kit.usedMemoryBytes()) - before)
        // The instance is still needed here: what it keeps is what was measured.
        tell(() => undefined)
        const measure = `${FLOOD} messages of ${(sent / 1e6).toFixed(1)} MB left ${(kept / 1e6).toFixed(1)} MB on the heap`
        return kept > sent / 2 ? { warning: `${measure}: bound what is kept of others` } : { detail: measure }
      },
    },
  ]
}

type Random = ReturnType<CheckContext['kit']['createRandom']>

function noise(random: Random, most: number): Uint8Array {
  return Uint8Array.from({ length: random.below(most) }, () => random.below(256))
}

function otherMember({ self, members }: Recording, random: Random): number {
  return members.length === 1 ? 0 : (self + 1 + random.below(members.length - 1)) % members.length
}
