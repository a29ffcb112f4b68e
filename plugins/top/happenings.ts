import { leadershipOf } from '../consensus/index.js'
import type { ConsensusReport } from '../../proto/index.js'
import type { Answer, Happening, Watched } from './model.js'
import { swapOf } from './swap.js'
import { printable } from '../terminal/index.js'
import { grouped, time } from './text.js'

type News = Pick<Happening, 'text' | 'kind'>

/** What is new between two looks at one peer. */
export function newsOf(before: Watched, after: Watched): readonly News[] {
  if (after.state === 'unreachable') return before.state === 'unreachable' ? [] : [{ kind: 'bad', text: `unreachable: ${printable(after.reason)}` }]
  const news: News[] = []
  if (before.state === 'unreachable') news.push({ kind: 'good', text: `answers again, after ${time(after.sinceMs - before.sinceMs)}` })
  if (before.last && after.last) news.push(...changes(before.last, after.last))
  return news
}

function changes({ report: from, vitals }: Answer, { report: to, vitals: now }: Answer): News[] {
  const news: News[] = []
  const at = `at height ${grouped(to.height)}`
  if (vitals && now && now.upMicros < vitals.upMicros) news.push({ kind: 'bad', text: 'was started anew' })
  const [was, is] = [swapOf(from), swapOf(to)]
  if (is && (is.phase !== was?.phase || is.engine !== was.engine)) news.push({ kind: 'swap', text: `${is.engine || 'swap'}: ${is.phase} ${at}` })
  if (was && was.phase !== 'sealed' && !is && from.epoch === to.epoch) news.push({ kind: 'swap', text: `${was.engine}: cancelled ${at}` })
  if (engineOf(from) !== engineOf(to) || from.epoch !== to.epoch) {
    news.push({ kind: 'swap', text: `epoch ${from.epoch} ${engineOf(from)} \u2192 epoch ${to.epoch} ${engineOf(to)} ${at}` })
  } else {
    const [former, current] = [leadershipOf(from), leadershipOf(to)]
    if (current.view !== former.view && former.view !== undefined && current.view !== undefined) {
      news.push({ kind: 'view', text: printable(`view ${former.view} \u2192 ${current.view}, led by ${current.leader ?? 'nobody'}, ${at}`) })
    }
  }
  if (to.halted !== from.halted) news.push(to.halted === '' ? { kind: 'good', text: 'orders again' } : { kind: 'bad', text: `halted: ${printable(to.halted)}` })
  else if (to.valid !== from.valid) news.push(to.valid ? { kind: 'good', text: `has caught up ${at}` } : { kind: 'bad', text: `is behind ${at}` })
  return news
}

/** `name@version`. */
export function engineOf({ engine, version }: Pick<ConsensusReport, 'engine' | 'version'>): string {
  return engine === '' ? 'none' : printable(`${engine}@${version}`)
}
