import { BEHIND_BLOCKS } from './columns.js'
import type { Watched } from './model.js'
import { type Line, piece } from './paint.js'
import type { Row } from './row.js'
import { printable } from '../terminal/index.js'
import { grouped, short } from './text.js'

/** Members that others name and nobody knows how to reach; none while an address is watched of which it is not known who is there. */
export function strangersOf(peers: readonly Watched[], rows: readonly Row[]): readonly string[] {
  if (peers.some(({ target, last }) => last === undefined && target.name === target.address)) return []
  const known = new Set(rows.map(({ id }) => id))
  const members = new Set(peers.flatMap(({ last }) => last?.report.members.map(({ id }) => printable(id)) ?? []))
  return [...members].filter((id) => !known.has(id))
}

/** What an operator should look at; `height`: the highest chain. */
export function troublesOf(rows: readonly Row[], height: bigint): readonly Line[] {
  const live = rows.filter(({ state }) => state !== 'unreachable' && state !== 'asked')
  return [...forks(live), ...live.flatMap((row) => ownTroubles(row, height)), ...missingLinks(live), ...failingDials(rows, live)]
}

function forks(live: readonly Row[]): Line[] {
  const heads = new Map<bigint, Map<string, string[]>>()
  for (const { id, height: at, headHash } of live) {
    if (at === undefined || at === 0n) continue
    const hashes = heads.get(at) ?? new Map<string, string[]>()
    heads.set(at, hashes.set(headHash, [...(hashes.get(headHash) ?? []), id]))
  }
  const different = [...heads].filter(([, hashes]) => hashes.size > 1)
  return different.map(([at, hashes]) =>
    bad(`DIFFERENT BLOCKS at height ${grouped(at)}: ${[...hashes.values()].map((ids) => ids.join(', ')).join(' against ')}`),
  )
}

function ownTroubles({ id, state, reason, divergence, stalled, swap, rates, height: at }: Row, height: bigint): Line[] {
  return [
    ...(state === 'halted' ? [bad(`${id} orders nothing: ${reason}`)] : []),
    ...(state === 'behind' ? [warn(`${id} knows that its state is behind, and refuses queries`)] : []),
    ...(state === 'running' && stalled !== '' ? [bad(`${id} may order nothing: ${stalled}`)] : []),
    ...(state === 'running' && at !== undefined && at + BEHIND_BLOCKS < height ? [warn(`${id} is ${grouped(height - at)} blocks behind`)] : []),
    ...(swap === undefined || swap.refusal === '' ? [] : [warn(`${id} does not take part in the swap: ${swap.refusal}`)]),
    ...(divergence === '' || (state === 'halted' && divergence === reason) ? [] : [bad(`${id}: ${divergence}`)]),
    ...(state === 'running' && rates.refused !== undefined && rates.refused > 0
      ? [warn(`${id} refuses ${short(rates.refused)} transactions a second: no room`)]
      : []),
  ]
}

/** Each pair once, and only of peers that answer: why the others have no links can be seen. */
function missingLinks(live: readonly Row[]): Line[] {
  const ids = new Set(live.map(({ id }) => id))
  const missing = new Map<string, Set<string>>()
  for (const { id, links } of live) {
    for (const other of links?.missing ?? []) {
      if (!ids.has(other)) continue
      const [one, two] = id < other ? [id, other] : [other, id]
      missing.set(one, (missing.get(one) ?? new Set<string>()).add(two))
    }
  }
  return [...missing].map(([one, others]) => warn(`no link between ${one} and ${[...others].join(', ')}`))
}

/** What several cannot reach is one line; what this program cannot reach either is red in the table. */
function failingDials(rows: readonly Row[], live: readonly Row[]): Line[] {
  const shown = new Set(rows.filter(({ state }) => state === 'unreachable').map(({ address }) => address))
  const failing = new Map<string, string[]>()
  for (const { id, failingDials: dials } of live) {
    for (const { address, reason } of dials) {
      if (shown.has(address)) continue
      const text = `${address}: ${reason}`
      failing.set(text, [...(failing.get(text) ?? []), id])
    }
  }
  return [...failing].map(([text, ids]) => warn(`${ids.join(', ')} cannot reach ${text}`))
}

function bad(text: string): Line {
  return [piece('! ', 'red'), piece(text, 'red')]
}

function warn(text: string): Line {
  return [piece('! ', 'yellow'), piece(text)]
}
