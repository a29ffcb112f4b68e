import { readdirSync, readFileSync } from 'node:fs'
import type { ChaosNetwork } from './network.js'

/** What is done to validators, and undone. */
export interface Harm {
  readonly begin: () => Promise<void>
  readonly end: () => Promise<void>
}

const NOTHING = async (): Promise<void> => undefined

/** A fault by its name: `kill`, `two` and `all` end processes, `engine` those of isolated engines, `stop` holds one, `cut` and `silence` take its links. */
export function harm(network: ChaosNetwork, fault: string, victims: readonly number[]): Harm {
  switch (fault) {
    case 'kill':
    case 'two':
    case 'all':
      return {
        begin: async () => void (await Promise.all(victims.map((index) => network.kill(index)))),
        end: async () => void (await Promise.all(victims.map((index) => network.startPeer(index)))),
      }
    case 'stop':
      return {
        begin: async () => victims.forEach((index) => network.stop(index)),
        end: async () => victims.forEach((index) => network.go(index)),
      }
    case 'cut':
    case 'silence':
      return { begin: async () => relink(network, victims, fault), end: async () => relink(network, victims, 'mend') }
    case 'engine':
      return { begin: async () => victims.flatMap((index) => below(network.peer(index).program.pid)).forEach(kill), end: NOTHING }
    default:
      return { begin: NOTHING, end: NOTHING }
  }
}

function relink(network: ChaosNetwork, victims: readonly number[], change: 'cut' | 'silence' | 'mend'): void {
  for (const index of victims) for (const other of network.peers.keys()) if (other !== index) network.link(index, other, change)
}

/** Processes that a process has started, and theirs. */
function below(pid: number): readonly number[] {
  const parents = readdirSync('/proc').flatMap((name) => {
    try {
      const [, rest = ''] = /^\d+$/.test(name) ? readFileSync(`/proc/${name}/stat`, 'utf8').split(') ') : []
      return rest === '' ? [] : [[Number(name), Number(rest.split(' ')[1])] as const]
    } catch {
      return [] // it has ended meanwhile
    }
  })
  const children = parents.flatMap(([child, parent]) => (parent === pid ? [child] : []))
  return [...children, ...children.flatMap((child) => below(child))]
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended with its parent.
  }
}
