import { existsSync, readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { DoctorCheck, type Patient, checkUsage } from '../check.js'
import type { Finding } from '../finding.js'

/** Files of the store, of chaincodes and of the program itself. */
const OTHER_FILES = 1400
const LEAST_MEMORY = 1024 ** 3

/** `peer doctor limits`: what the system lets a process of this user have. */
export class LimitsCheck extends DoctorCheck {
  static override paths = [['doctor', 'limits']]
  static override usage = checkUsage('limits', 'the limits of open files, processes and memory')

  async examine({ entries }: Patient): Promise<readonly Finding[]> {
    const connections = Number(entries().find(({ key }) => key === 'peer.limits.connections')?.value ?? 0)
    const limits = existsSync('/proc/self/limits') ? readFileSync('/proc/self/limits', 'utf8') : ''
    return [...limitFindings(limits, connections), memoryFinding(memoryBytes())]
  }
}

/** `limits`: the text of /proc/self/limits. Node raises its own soft limits to the hard ones, so a peer has what is read here. */
export function limitFindings(limits: string, connections: number): readonly Finding[] {
  const soft = (name: string): number => {
    const [, word = ''] = new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(limits) ?? []
    return word === 'unlimited' ? Number.POSITIVE_INFINITY : Number(word || Number.NaN)
  }
  const files = soft('Max open files')
  const needed = 2 * connections + OTHER_FILES
  if (Number.isNaN(files)) return [{ level: 'ok', found: 'this system does not tell its limits' }]
  const found = `${files} open files allowed, ${needed} may be needed (two listeners of peer.limits.connections, the store, chaincodes)`
  const details = { openFiles: files, needed }
  const enough: Finding = { level: 'ok', found, details }
  const few: Finding = {
    level: 'warning',
    found,
    details,
    todo: `raise the hard limit: LimitNOFILE=${needed} in the unit, \`ulimit -Hn\`, or lower peer.limits.connections`,
  }
  return [files >= needed ? enough : few]
}

function memoryFinding(bytes: number): Finding {
  const found = `${Math.round(bytes / 1024 ** 2)} MiB of memory for this peer and its chaincodes`
  if (bytes >= LEAST_MEMORY) return { level: 'ok', found }
  return { level: 'warning', found, todo: 'give it at least 1 GiB, or lower peer.limits.bufferBytes, peer.limits.messageBytes and chaincode.memory' }
}

/** What the machine, or the container, has. */
function memoryBytes(): number {
  const constrained = process.constrainedMemory()
  return constrained !== undefined && constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
}
