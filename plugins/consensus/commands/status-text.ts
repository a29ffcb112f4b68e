import { columns } from '../../../kernel/index.js'
import { type ConsensusReport, hex, type SwapProgress } from '../../../proto/index.js'
import { printable } from '../../terminal/index.js'
import { adviceOn, stalledAdvice } from './advice.js'

/** What a validator says of its consensus, for people; `view`: what its engine says. */
export function statusText(found: ConsensusReport, view: Readonly<Record<string, unknown>>): string[] {
  const { id, engine, version, epoch, height, headHash, stateHash, pending, halted, stalled, divergence, members } = found
  const rows: [string, string][] = [
    ['engine', engine === '' ? 'none' : `${engine} ${version}, epoch ${epoch}`],
    ['height', String(height)],
    ['head', hex(headHash) || 'none'],
    ['world state', hex(stateHash) || 'empty'],
    ['pending', `${pending} accepted here and in no block yet`],
    ['members', members.map((member) => `${member.id}${member.self ? ' (this peer)' : member.connected ? '' : ' (not connected)'}`).join(', ') || 'none'],
  ]
  rows.push(...swapRows(found))
  if (divergence !== '') rows.push(['divergence', divergence])
  if (halted !== '') rows.push(['what to do', adviceOn(halted)])
  else if (stalled !== '') rows.push(['what to do', stalledAdvice(stalled)])
  return [
    `${id} ${stateWords(found)}`,
    ...columns(rows),
    ...(Object.keys(view).length === 0 ? [] : ['the engine says', ...columns(Object.entries(view).map(([name, value]) => [name, wordsOf(value)]))]),
  ].map((line) => printable(line))
}

function stateWords({ halted, valid, stalled }: ConsensusReport): string {
  if (halted !== '') return `orders nothing: ${halted}`
  if (!valid) return 'is behind and catches up; queries are refused'
  return stalled === '' ? 'orders transactions' : `may order nothing: ${stalled}`
}

/** A swap that is under way, or one that is decided while the engine before is still needed. */
function swapRows({ swap, sealing, activation, epoch }: ConsensusReport): [string, string][] {
  if (swap) return [['swap', swapWords(swap)]]
  if (!sealing) return []
  return [['swap', `decided: the engine of epoch ${epoch - 1n} still helps validators that lack block ${activation}, its last one`]]
}

function swapWords({ engine, version, phase, refusal, ready, cancelled, preparedIn }: SwapProgress): string {
  const here = `${phase === '' ? 'not begun' : phase} here${refusal === '' ? '' : `: ${refusal}`}`
  const names = (which: string, ids: readonly string[]): string[] => (ids.length === 0 ? [] : [`${which}: ${ids.join(', ')}`])
  return [`to ${engine} ${version}, prepared in block ${preparedIn}`, here, ...names('ready', ready), ...names('gave up', cancelled)].join('; ')
}

function wordsOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
