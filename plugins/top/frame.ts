import { BEHIND_BLOCKS, columnsOf, type Scope } from './columns.js'
import type { Happening, Picture } from './model.js'
import { type Line, piece, type Style } from './paint.js'
import { type Row, rowOf } from './row.js'
import { PHASES } from './swap.js'
import { table, type TableRow } from './table.js'
import { strangersOf, troublesOf } from './troubles.js'
import { printable } from '../terminal/index.js'
import { cut, fit, grouped, short, time, widthOf } from './text.js'

const LEAST_ROWS_OF_PEERS = 3

/** The size of a terminal. */
export interface Size {
  readonly columns: number
  /** Infinite: everything is shown. */
  readonly rows: number
}

/** Everything that is shown of a moment, as lines that fit. */
export function frameOf(picture: Picture, size: Size): readonly Line[] {
  const rows = picture.peers.map((peer) => rowOf(peer, picture.nowMs))
  const scope = scopeOf(rows)
  const strangers = strangersOf(picture.peers, rows)
  const head = [titleLine(picture, rows, strangers.length, size.columns), summaryLine(rows, scope), ...swapLines(rows, scope)]
  const peers = table(columnsOf(scope), [...rows.map(tableRow), ...strangers.map((name) => strangerRow(name, picture.nowMs))], size.columns)
  const troubles = troublesOf(rows, scope.height)
  const news = picture.happenings.map(happeningLine)
  const room = Math.max(0, size.rows - head.length - 1)
  const shownPeers = shorten(peers, Math.max(LEAST_ROWS_OF_PEERS, room), 'peers')
  const below = room - shownPeers.length
  const shownTroubles = below > 1 ? shorten(troubles, below - 1, 'troubles') : []
  const rest = below - (shownTroubles.length > 0 ? shownTroubles.length + 1 : 0)
  const shownNews = rest > 1 ? news.slice(-Math.min(news.length, rest - 1)) : []
  const parts = [head, [[]], shownPeers, ...spaced(shownTroubles), ...spaced(shownNews)]
  return parts
    .flat()
    .slice(0, size.rows)
    .map((line) => within(line, size.columns))
}

/** A picture in plain text. */
export function plainFrame(picture: Picture, columns: number): string {
  const lines = frameOf(picture, { columns, rows: Number.POSITIVE_INFINITY })
  return lines
    .map(
      (line) =>
        `${line
          .map(({ text }) => text)
          .join('')
          .trimEnd()}\n`,
    )
    .join('')
}

/** Whether everybody answers, orders and knows that its state is current. */
export function isWell(picture: Picture): boolean {
  const rows = picture.peers.map((peer) => rowOf(peer, picture.nowMs))
  return rows.every(({ state }) => state === 'running') && strangersOf(picture.peers, rows).length === 0
}

function isLive({ state }: Row): boolean {
  return state !== 'unreachable' && state !== 'asked'
}

function scopeOf(rows: readonly Row[]): Scope {
  const live = rows.filter(isLive)
  const greatest = (values: readonly (bigint | undefined)[]): bigint =>
    values.reduce<bigint>((most, value) => (value !== undefined && value > most ? value : most), 0n)
  return { rows, height: greatest(live.map(({ height }) => height)), epoch: greatest(live.map(({ epoch }) => epoch)) }
}

function titleLine({ title, wallMs }: Picture, rows: readonly Row[], strangers: number, columns: number): Line {
  const answering = rows.filter(isLive).length
  const isBad = strangers > 0 || rows.some(({ state }) => state === 'unreachable')
  const right = ` ${answering} of ${rows.length + strangers} answer  ${clock(wallMs)}`
  const left = cut(`  ${printable(title)}`, Math.max(0, columns - widthOf('weft top') - widthOf(right)))
  const gap = ' '.repeat(Math.max(0, columns - widthOf('weft top') - widthOf(left) - widthOf(right)))
  return [piece('weft top', 'bold'), piece(left, 'dim'), piece(gap), piece(right, isBad ? 'red' : 'plain')]
}

function summaryLine(rows: readonly Row[], { height }: Scope): Line {
  const live = rows.filter(isLive)
  if (live.length === 0) return rows.some(({ state }) => state === 'asked') ? [piece('asking', 'dim')] : [piece('no peer answers', 'red')]
  const engines = [...new Set(live.map(({ engine, epoch }) => `${engine} epoch ${epoch}`))]
  const rate = Math.max(...live.map(({ rates }) => rates.transactions ?? -1))
  const latencies = live.flatMap(({ rates }) => rates.latencyMs ?? [])
  const behind = live.filter((row) => row.height !== undefined && row.height + BEHIND_BLOCKS < height).length
  return [
    piece(engines.length <= 2 ? engines.join(' | ') : `${engines.length} engines and epochs`, engines.length === 1 ? 'green' : 'yellow'),
    piece(`   height ${grouped(height)}, `),
    behind === 0 ? piece('in step', 'green') : piece(`${behind} behind`, 'yellow'),
    ...(rate < 0 ? [] : [piece(`   ${short(rate)} tx/s`, 'bold')]),
    ...(latencies.length === 0 ? [] : [piece(`   latency ${time(latencies.reduce((sum, ms) => sum + ms, 0) / latencies.length)}`)]),
  ]
}

/** Who is where in a change of the engine. Whoever is in the new epoch, and done with the old one, has started. */
function swapLines(rows: readonly Row[], { height, epoch }: Scope): Line[] {
  const live = rows.filter(isLive)
  const crossing = live.flatMap(({ swap }) => swap ?? [])
  const [first] = crossing
  if (!first) return []
  const isDecided = crossing.some(({ phase }) => phase === 'sealed') || live.some((row) => row.epoch !== epoch)
  const started = isDecided ? live.filter((row) => !row.swap && row.epoch === epoch).length : 0
  const from = live.find(({ swap }) => swap && swap.phase !== 'sealed')?.engine
  const activation = crossing.find((swap) => swap.activation !== undefined)?.activation
  const toGo = activation !== undefined && activation > height ? ` (${grouped(activation - height)} to go)` : ''
  const when = activation === undefined ? '' : `, after block ${grouped(activation)}${toGo}`
  const phases = [...new Set([...PHASES, ...crossing.map(({ phase }) => phase)])]
  const counts = phases.map((phase) => ({ phase, count: phase === 'started' ? started : crossing.filter((swap) => swap.phase === phase).length }))
  const steps = counts.flatMap(({ phase, count }, index) => [
    piece(index === 0 ? '' : ' \u203a ', 'dim'),
    count === 0 ? piece(phase, 'dim') : piece(`${phase} ${count}`, 'cyan'),
  ])
  return [
    [piece('swap', 'cyan'), piece(`  ${from === undefined ? '' : `${from} `}\u2192 ${first.engine}${when}`)],
    [piece('      '), ...steps],
  ]
}

const ROW_STYLES: Readonly<Record<Row['state'], Style>> = { asked: 'dim', unreachable: 'red', halted: 'red', behind: 'yellow', running: 'plain' }

function tableRow(row: Row): TableRow<Row> {
  return { row, style: ROW_STYLES[row.state], instead: insteadOf(row) }
}

function insteadOf({ state, address, reason, unreachableMs = 0, height, epoch }: Row): string | undefined {
  if (state === 'asked') return `asking ${address}`
  if (state !== 'unreachable') return undefined
  const was = height === undefined ? '' : ` (was at height ${grouped(height)}, epoch ${epoch})`
  return `unreachable for ${time(unreachableMs)}: ${reason}${was}`
}

/** A member that others name and nobody knows how to reach. */
function strangerRow(name: string, nowMs: number): TableRow<Row> {
  return {
    row: rowOf({ target: { name, address: '' }, state: 'unreachable', last: undefined, before: undefined, reason: '', sinceMs: nowMs }, nowMs),
    style: 'red',
    instead: 'a member of unknown address: nobody here is linked to it; name it with --peers',
  }
}

const NEWS_STYLES: Readonly<Record<Happening['kind'], Style>> = { swap: 'cyan', view: 'plain', bad: 'red', good: 'green' }

function happeningLine({ atMs, peer, text, kind }: Happening): Line {
  return [piece(`${clock(atMs)} `, 'dim'), piece(`${printable(peer)} ${text}`, NEWS_STYLES[kind])]
}

function spaced(lines: readonly Line[]): (readonly Line[])[] {
  return lines.length === 0 ? [] : [[[]], lines]
}

function shorten(lines: readonly Line[], rows: number, what: string): readonly Line[] {
  if (lines.length <= rows) return lines
  const kept = lines.slice(0, Math.max(0, rows - 1))
  return [...kept, [piece(`\u2026 ${lines.length - kept.length} more ${what}: make the terminal higher`, 'dim')]]
}

/** At most so many columns. */
function within(line: Line, columns: number): Line {
  let left = columns
  return line.flatMap(({ text, style }) => {
    const shown = left > 0 ? cut(text, left) : ''
    left -= widthOf(text)
    return shown === '' ? [] : [{ text: shown, style }]
  })
}

/** `hh:mm:ss` here. */
function clock(ms: number): string {
  const date = new Date(ms)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => fit(String(part), 2, 'right').replace(' ', '0')).join(':')
}
