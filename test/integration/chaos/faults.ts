import { pause } from '../support/program.js'
import type { ChaosNetwork } from './network.js'

const MOST_AT_A_TIME = 3
const LONGEST_MS = 5000

type Random = () => number

/** Faults at random until `untilMs` (of `performance.now`); resolves when all of them are over. What was done is told to `say`. */
export async function makeFaults(network: ChaosNetwork, random: Random, untilMs: number, say: (what: string) => void): Promise<void> {
  const running = new Set<Promise<void>>()
  const broken: unknown[] = []
  while (performance.now() < untilMs && broken.length === 0) {
    if (running.size < MOST_AT_A_TIME) {
      const restMs = untilMs - performance.now()
      const fault = pickFault(network, random)
      const one: Promise<void> = fault(Math.min(restMs, LONGEST_MS * random() ** 2), say)
        .catch((error: unknown) => void broken.push(error))
        .finally(() => running.delete(one))
      running.add(one)
    }
    await pause(100 + 900 * random())
    const fallen = network.fallen()
    if (fallen !== undefined) broken.push(new Error(fallen))
  }
  await Promise.all(running)
  if (broken.length > 0) throw broken[0]
}

type RunFault = (forMs: number, say: (what: string) => void) => Promise<void>

function pickFault(network: ChaosNetwork, random: Random): RunFault {
  const here = network.peers.map((_, index) => index).filter((index) => !network.away.has(index))
  const one = here[Math.floor(random() * here.length)]
  const kind = random()
  if (one === undefined) return () => Promise.resolve()
  const others = network.peers.map((_, index) => index).filter((index) => index !== one)
  const other = others[Math.floor(random() * others.length)] ?? one
  if (kind < 0.3) return (forMs, say) => killFor(network, [one], forMs, say)
  if (kind < 0.55) return (forMs, say) => stopFor(network, one, forMs, say)
  if (kind < 0.6) return (forMs, say) => killFor(network, here, forMs, say)
  const pairs = kind < 0.8 ? [[one, other] as const] : others.map((to) => [one, to] as const)
  return (forMs, say) => breakFor(network, pairs, kind < 0.7 || kind > 0.9 ? 'cut' : 'silence', forMs, say)
}

async function killFor(network: ChaosNetwork, indexes: readonly number[], forMs: number, say: (what: string) => void): Promise<void> {
  say(`kill -9 ${indexes.map((index) => `vp${index}`).join(', ')} for ${Math.round(forMs)} ms`)
  await Promise.all(indexes.map((index) => network.kill(index)))
  await pause(forMs)
  await Promise.all(indexes.map((index) => network.startPeer(index)))
}

async function stopFor(network: ChaosNetwork, index: number, forMs: number, say: (what: string) => void): Promise<void> {
  say(`SIGSTOP vp${index} for ${Math.round(forMs)} ms`)
  network.stop(index)
  await pause(forMs)
  network.go(index)
}

async function breakFor(
  network: ChaosNetwork,
  pairs: readonly (readonly [number, number])[],
  how: 'cut' | 'silence',
  forMs: number,
  say: (what: string) => void,
): Promise<void> {
  say(`${how} ${pairs.map(([a, b]) => `vp${a}-vp${b}`).join(', ')} for ${Math.round(forMs)} ms`)
  for (const [a, b] of pairs) network.link(a, b, how)
  await pause(forMs)
  for (const [a, b] of pairs) network.link(a, b, 'mend')
}
