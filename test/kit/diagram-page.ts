/** The look of a diagram's page. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--bg:#fbfbfd;--panel:#fff;--ink:#1b1f2a;--dim:#69707f;--line:#d9dce4;--grid:#eceef3;--bad:#d22f43;--good:#1c8f5a;--warn:#c77700;--fault:#e4572e}
@media(prefers-color-scheme:dark){:root{--bg:#12141a;--panel:#191c24;--ink:#e7e9ef;--dim:#949bab;--line:#333845;--grid:#232733;--bad:#ff6b7a;--good:#4cc38a;--warn:#ffb454;--fault:#ff8a65}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:14px/1.45 system-ui,-apple-system,"Segoe UI",sans-serif;display:flex;flex-direction:column;min-height:100vh}
header{padding:16px 24px 10px;background:var(--panel);border-bottom:1px solid var(--line)}
.title{display:flex;gap:12px;align-items:baseline}
h1{font-size:17px;font-weight:600;margin:0;overflow-wrap:anywhere}
.verdict{font-size:12px;font-weight:700;text-transform:uppercase;letter-spacing:.06em;color:#fff;background:var(--bad);padding:3px 9px;border-radius:99px}
.verdict.fine{background:var(--good)}.verdict.liveness{background:var(--warn)}
.facts{display:flex;flex-wrap:wrap;gap:4px 16px;color:var(--dim);margin:6px 0 10px}.facts b{color:var(--ink)}
.tools{display:flex;justify-content:space-between;gap:16px;align-items:center;flex-wrap:wrap}
#legend{display:flex;flex-wrap:wrap;gap:6px}
#legend button{display:inline-flex;align-items:center;gap:6px}
#legend i{width:16px;height:3px;border-radius:2px;display:inline-block}
#legend button.off{opacity:.4}
button{font:inherit;font-size:12.5px;color:inherit;background:var(--bg);border:1px solid var(--line);border-radius:7px;padding:3px 10px;cursor:pointer}
button:hover{border-color:var(--dim)}
.buttons{display:flex;gap:6px}
main{position:relative;overflow:hidden;padding-top:6px}
#plot{display:block;width:100%;cursor:grab;user-select:none;touch-action:none}
#plot.moving{cursor:grabbing}
#plot text{fill:var(--ink);font:12px system-ui,sans-serif}
#plot .dim{fill:var(--dim)}
#tip{position:absolute;pointer-events:none;background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:8px 11px;box-shadow:0 6px 24px #0003;max-width:460px;white-space:pre-wrap;overflow-wrap:anywhere;font-size:12.5px;z-index:2}
#tip b{display:block;margin-bottom:2px}
footer{padding:8px 24px 24px}
.hint{color:var(--dim);margin:4px 0 8px;font-size:12.5px}
details{border-top:1px solid var(--line);padding:8px 0}summary{cursor:pointer}
pre{overflow:auto;max-height:420px;background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:12px;font-size:12px}
code{font-size:12.5px}
`

/** What makes it move: draws what is in view, whatever the length of the run. */
export const PAGE_SCRIPT = String.raw`
'use strict'
const data = JSON.parse(document.getElementById('data').textContent)
const svg = document.getElementById('plot'), tip = document.getElementById('tip')
const LEFT = 92, RIGHT = 24, AXIS = 26, ROW = 22, LANE = data.lanes.length > 12 ? 46 : data.lanes.length > 6 ? 70 : data.lanes.length > 4 ? 96 : 128
const COLOURS = ['#3b82f6', '#8b5cf6', '#14a38b', '#e0709a', '#c98a14', '#5b8c2a', '#0ea5c6', '#a35cc9', '#7c8594', '#d4603a']
const MARKS = { commit: 'commits', accepted: 'requests', timer: 'timers', log: 'log lines' }
const MOST = 4000
const start = data.marks.concat(data.messages).reduce((least, { at }) => Math.min(least, at), 0)
const end = Math.max(data.endMs, start + 1)
const labels = new Map()
for (const { label } of data.messages) labels.set(label, (labels.get(label) ?? 0) + 1)
const ordered = [...labels].sort((a, b) => b[1] - a[1]).map(([label]) => label)
const colourOf = (label) => COLOURS[ordered.indexOf(label) % COLOURS.length]
const off = new Set(['timers'])
data.messages.sort((a, b) => a.at - b.at)
const longest = data.messages.reduce((most, { at, until }) => Math.max(most, (until ?? at) - at), 0)

// Faults that overlap go into rows of their own.
const rows = []
for (const span of data.faults) {
  const row = rows.findIndex((until) => until <= span.at)
  span.row = row < 0 ? rows.length : row
  rows[span.row] = Math.max(span.until, span.at + (end - start) / 30)
}
const TOP = AXIS + rows.length * ROW + 26
const HEIGHT = TOP + (data.lanes.length - 1) * LANE + 44
const laneY = (lane) => TOP + lane * LANE
let from = start, to = end, drawn = []
const focus = data.violations.at(-1)?.at
if (end - start > 4000) { const middle = focus ?? 1000; from = Math.max(start, middle - 1500); to = Math.min(end, from + 2000) }

const esc = (text) => String(text).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c])
const time = (ms) => (ms >= 10000 ? (ms / 1000).toFixed(2) + ' s' : ms.toFixed(to - from < 20 ? 2 : 1) + ' ms')
const width = () => svg.clientWidth || 1200
const x = (at) => LEFT + ((at - from) / (to - from)) * (width() - LEFT - RIGHT)
const at = (px) => from + ((px - LEFT) / (width() - LEFT - RIGHT)) * (to - from)
const clampX = (px) => Math.max(LEFT, Math.min(width() - RIGHT, px))

function step(range) {
  const raw = range / Math.max(3, (width() - LEFT) / 120), power = 10 ** Math.floor(Math.log10(raw))
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw)
}
function firstMessage(moment) {
  let low = 0, high = data.messages.length
  while (low < high) { const middle = (low + high) >> 1; if (data.messages[middle].at < moment) low = middle + 1; else high = middle }
  return low
}
function drawMessages(out) {
  const seen = []
  for (let i = firstMessage(from - longest); i < data.messages.length && data.messages[i].at <= to; i += 1) {
    const message = data.messages[i]
    if ((message.until ?? message.at) >= from && !off.has(message.label)) seen.push(message)
  }
  const stride = Math.ceil(seen.length / MOST)
  const faint = seen.length > 600 ? 0.45 : 0.85
  seen.forEach((message, index) => {
    if (index % stride !== 0) return
    const y1 = laneY(message.from), y2 = laneY(message.to), x1 = x(message.at), colour = colourOf(message.label)
    if (message.until === undefined) {
      const y3 = y1 + (y2 - y1) * 0.35, x3 = x1 + Math.min(18, LANE * 0.3)
      out.push('<path d="M' + x1 + ' ' + y1 + 'L' + x3 + ' ' + y3 + '" stroke="' + colour + '" stroke-dasharray="3 3" opacity="' + faint + '"/><path d="M' + (x3 - 3) + ' ' + (y3 - 3) + 'l6 6m0 -6l-6 6" stroke="var(--bad)"/>')
      return drawn.push({ x1, y1, x2: x3, y2: y3, title: message.label + ' to ' + data.lanes[message.to] + ', lost', body: data.lanes[message.from] + ' at ' + time(message.at) + '\n' + message.text })
    }
    const x2 = x(message.until), down = y2 > y1 ? 1 : -1
    out.push('<path d="M' + x1 + ' ' + y1 + 'L' + x2 + ' ' + y2 + '" stroke="' + colour + '" opacity="' + faint + '"/>')
    if (seen.length < 900) {
      const angle = Math.atan2(y2 - y1, x2 - x1), a = angle + 2.75, b = angle - 2.75
      out.push('<path d="M' + (x2 + 8 * Math.cos(a)) + ' ' + (y2 + 8 * Math.sin(a)) + 'L' + x2 + ' ' + y2 + 'L' + (x2 + 8 * Math.cos(b)) + ' ' + (y2 + 8 * Math.sin(b)) + '" stroke="' + colour + '" fill="none" opacity="' + faint + '"/>')
    }
    if (seen.length < 60 && Math.hypot(x2 - x1, y2 - y1) > 60) {
      const share = 0.32 + 0.12 * (index % 3), mx = x1 + (x2 - x1) * share, my = y1 + (y2 - y1) * share
      out.push('<text x="' + (mx + 5) + '" y="' + (my - 3 * down) + '" class="dim" style="font-size:10.5px;fill:' + colour + '">' + esc(message.label) + '</text>')
    }
    drawn.push({ x1, y1, x2, y2, title: message.label, body: data.lanes[message.from] + ' at ' + time(message.at) + ' → ' + data.lanes[message.to] + ' at ' + time(message.until) + '\n' + message.text })
  })
}
function drawMarks(out) {
  const shown = data.marks.filter((mark) => mark.at >= from && mark.at <= to && !off.has(MARKS[mark.kind]))
  const dense = shown.length > 400
  for (const mark of shown) {
    const px = x(mark.at), y = laneY(mark.lane)
    const say = (h) => drawn.push({ x1: px, y1: y - h, x2: px, y2: y + h, near: true, title: mark.kind === 'commit' ? 'commits block ' + mark.label : mark.text.split('\n')[0], body: data.lanes[mark.lane] + ' at ' + time(mark.at) + '\n' + mark.text })
    if (mark.kind === 'commit') {
      const w = dense ? 7 : Math.max(18, 8 + 7 * mark.label.length)
      out.push('<rect x="' + (px - w / 2) + '" y="' + (y - 9) + '" width="' + w + '" height="18" rx="4" fill="var(--good)" stroke="var(--panel)"/>' + (dense ? '' : '<text x="' + px + '" y="' + (y + 4) + '" text-anchor="middle" style="fill:#fff;font-size:11px;font-weight:600">' + esc(mark.label) + '</text>'))
      say(9)
    } else if (mark.kind === 'crash') {
      out.push('<path d="M' + (px - 7) + ' ' + (y - 7) + 'l14 14m0 -14l-14 14" stroke="var(--bad)" stroke-width="3" stroke-linecap="round"/>')
      say(8)
    } else if (mark.kind === 'accepted') {
      out.push('<circle cx="' + px + '" cy="' + (y - 14) + '" r="4" fill="var(--warn)" stroke="var(--panel)"/>')
      say(18)
    } else if (mark.kind === 'timer') {
      out.push('<path d="M' + (px - 4) + ' ' + (y + 16) + 'l4 -7l4 7z" fill="var(--dim)"/>')
      say(16)
    } else if (mark.kind === 'log') {
      out.push('<rect x="' + (px - 3) + '" y="' + (y + 10) + '" width="6" height="3" fill="' + (/^(error|critical|warning)$/.test(mark.label) ? 'var(--bad)' : 'var(--dim)') + '"/>')
      say(13)
    } else if (mark.kind === 'start' || mark.kind === 'runs') {
      out.push('<path d="M' + (px - 5) + ' ' + (y - 6) + 'l10 6l-10 6z" fill="' + (mark.kind === 'runs' ? 'var(--good)' : 'var(--dim)') + '"/>')
      say(7)
    } else if (mark.kind === 'transferred') {
      out.push('<path d="M' + px + ' ' + (y - 9) + 'l9 9l-9 9l-9 -9z" fill="#8b5cf6" stroke="var(--panel)"/>')
      say(9)
    }
  }
}
function draw() {
  const w = width(), out = [], under = [], bottom = HEIGHT - 40
  drawn = []
  svg.setAttribute('height', HEIGHT); svg.setAttribute('viewBox', '0 0 ' + w + ' ' + HEIGHT)
  under.push('<defs><pattern id="down" width="7" height="7" patternTransform="rotate(45)" patternUnits="userSpaceOnUse"><rect width="7" height="7" fill="var(--bad)" opacity=".08"/><path d="M0 0V7" stroke="var(--bad)" stroke-width="2.5" opacity=".35"/></pattern><clipPath id="clip"><rect x="' + LEFT + '" y="0" width="' + (w - LEFT - RIGHT + 12) + '" height="' + HEIGHT + '"/></clipPath></defs>')
  const gap = step(to - from)
  for (let moment = Math.ceil(from / gap) * gap; moment <= to; moment += gap) {
    under.push('<path d="M' + x(moment) + ' ' + AXIS + 'V' + bottom + '" stroke="var(--grid)"/><text class="dim" x="' + x(moment) + '" y="16" text-anchor="middle">' + time(moment) + '</text>')
  }
  under.push('<g clip-path="url(#clip)">')
  for (const span of data.faults) {
    if (span.until < from || span.at > to) continue
    const x1 = clampX(x(span.at)), x2 = Math.max(x1 + 3, clampX(x(span.until))), y = AXIS + span.row * ROW
    if (span.lanes.length === 0) under.push('<rect x="' + x1 + '" y="' + (TOP - 24) + '" width="' + (x2 - x1) + '" height="' + (bottom - TOP + 24) + '" fill="var(--fault)" opacity=".09"/>')
    else for (const lane of span.lanes) under.push('<rect x="' + x1 + '" y="' + (laneY(lane) - 12) + '" width="' + (x2 - x1) + '" height="24" rx="4" fill="var(--fault)" opacity=".16"/>')
    under.push('<g class="fault" data-from="' + span.at + '" data-to="' + span.until + '" style="cursor:pointer"><rect x="' + x1 + '" y="' + y + '" width="' + (x2 - x1) + '" height="' + (ROW - 4) + '" rx="4" fill="var(--fault)" opacity=".28"/><text x="' + (x1 + 6) + '" y="' + (y + 13) + '" style="font-size:11.5px">' + esc(span.text) + '</text></g>')
    drawn.push({ x1, y1: y + 9, x2, y2: y + 9, near: true, title: span.text, body: time(span.at) + ' to ' + time(span.until) })
  }
  for (let lane = 0; lane < data.lanes.length; lane += 1) under.push('<path d="M' + LEFT + ' ' + laneY(lane) + 'H' + (w - RIGHT) + '" stroke="var(--line)" stroke-width="2"/>')
  for (const span of data.down) {
    if (span.until < from || span.at > to) continue
    const x1 = clampX(x(span.at)), x2 = clampX(x(span.until)), y = laneY(span.lanes[0])
    under.push('<rect x="' + x1 + '" y="' + (y - 12) + '" width="' + Math.max(1, x2 - x1) + '" height="24" rx="3" fill="url(#down)"/>')
  }
  out.push('<g fill="none" stroke-width="1.3">'); drawMessages(out); out.push('</g>')
  drawMarks(out)
  for (const violation of data.violations) {
    if (violation.at < from - 1 || violation.at > to + 1) continue
    const px = clampX(x(violation.at))
    out.push('<path d="M' + px + ' ' + AXIS + 'V' + bottom + '" stroke="var(--bad)" stroke-width="2" stroke-dasharray="6 4"/><path d="M' + px + ' ' + (bottom + 2) + 'l6 10h-12z" fill="var(--bad)"/>')
    drawn.push({ x1: px, y1: AXIS, x2: px, y2: bottom, title: violation.text, body: time(violation.at) })
  }
  out.push('</g>')
  data.lanes.forEach((name, lane) => out.push('<text x="' + (LEFT - 14) + '" y="' + (laneY(lane) + 4) + '" text-anchor="end" style="font-weight:600">' + esc(name) + '</text>'))
  // Where the view lies in the whole run.
  const bar = w - LEFT - RIGHT, scale = (moment) => LEFT + ((moment - start) / (end - start)) * bar
  out.push('<rect x="' + LEFT + '" y="' + (HEIGHT - 18) + '" width="' + bar + '" height="6" rx="3" fill="var(--grid)"/><rect x="' + scale(from) + '" y="' + (HEIGHT - 18) + '" width="' + Math.max(4, scale(to) - scale(from)) + '" height="6" rx="3" fill="var(--dim)"/>')
  if (focus !== undefined) out.push('<circle cx="' + scale(focus) + '" cy="' + (HEIGHT - 15) + '" r="4" fill="var(--bad)"/>')
  svg.innerHTML = under.join('') + out.join('')
}
function show(newFrom, newTo) {
  const range = Math.min(end - start, Math.max(0.5, newTo - newFrom))
  from = Math.max(start, Math.min(end - range, newFrom)); to = from + range
  draw()
}
function zoom(factor, centre) {
  const middle = centre ?? (from + to) / 2
  show(middle - (middle - from) * factor, middle + (to - middle) * factor)
}
function toFailure() { if (focus !== undefined) show(focus - 150, focus + 20) }
function distance({ x1, y1, x2, y2 }, px, py) {
  const length = (x2 - x1) ** 2 + (y2 - y1) ** 2
  const share = length === 0 ? 0 : Math.max(0, Math.min(1, ((px - x1) * (x2 - x1) + (py - y1) * (y2 - y1)) / length))
  return Math.hypot(px - (x1 + share * (x2 - x1)), py - (y1 + share * (y2 - y1)))
}
function hover(event) {
  const box = svg.getBoundingClientRect(), px = event.clientX - box.left, py = event.clientY - box.top
  let best, least = 9
  for (const item of drawn) { const far = distance(item, px, py) - (item.near ? 4 : 0); if (far < least) { least = far; best = item } }
  tip.hidden = best === undefined
  if (best === undefined) return
  tip.innerHTML = '<b>' + esc(best.title) + '</b>' + esc(best.body)
  const over = svg.parentElement.clientWidth - px < 480
  tip.style.left = (over ? Math.max(8, px - tip.offsetWidth - 14) : px + 14) + 'px'
  tip.style.top = Math.min(py + 14, svg.parentElement.clientHeight - tip.offsetHeight - 8) + 'px'
}
svg.addEventListener('wheel', (event) => {
  event.preventDefault()
  if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) { const by = (event.deltaX / width()) * (to - from); return show(from + by, to + by) }
  zoom(Math.exp(event.deltaY * 0.0015), at(event.clientX - svg.getBoundingClientRect().left))
}, { passive: false })
let grabbed
svg.addEventListener('pointerdown', (event) => { grabbed = { px: event.clientX, from, to, moved: false }; svg.setPointerCapture(event.pointerId); svg.classList.add('moving') })
svg.addEventListener('pointermove', (event) => {
  if (!grabbed) return hover(event)
  const by = ((event.clientX - grabbed.px) / (width() - LEFT - RIGHT)) * (grabbed.to - grabbed.from)
  if (Math.abs(event.clientX - grabbed.px) > 3) grabbed.moved = true
  if (grabbed.moved) { tip.hidden = true; show(grabbed.from - by, grabbed.to - by) }
})
svg.addEventListener('pointerup', (event) => {
  const moved = grabbed?.moved
  grabbed = undefined; svg.classList.remove('moving')
  const fault = moved ? undefined : document.elementsFromPoint(event.clientX, event.clientY).map((element) => element.closest('.fault')).find(Boolean)
  if (fault) { const a = Number(fault.dataset.from), b = Number(fault.dataset.to), pad = Math.max(20, (b - a) * 0.2); show(a - pad, b + pad) }
})
svg.addEventListener('pointerleave', () => { tip.hidden = true })
addEventListener('keydown', (event) => {
  const by = (to - from) * 0.2
  const keys = { '+': () => zoom(0.6), '=': () => zoom(0.6), '-': () => zoom(1.6), 0: () => show(start, end), e: toFailure, ArrowLeft: () => show(from - by, to - by), ArrowRight: () => show(from + by, to + by) }
  if (event.ctrlKey || event.metaKey || !keys[event.key]) return
  event.preventDefault(); keys[event.key]()
})
document.getElementById('in').onclick = () => zoom(0.6)
document.getElementById('out').onclick = () => zoom(1.6)
document.getElementById('all').onclick = () => show(start, end)
if (focus !== undefined) document.getElementById('end').onclick = toFailure
const legend = document.getElementById('legend')
const entries = ordered.slice(0, 14).map((label) => [label, colourOf(label)]).concat([['commits', 'var(--good)'], ['requests', 'var(--warn)'], ['timers', 'var(--dim)']])
for (const [label, colour] of entries) {
  const button = document.createElement('button')
  button.innerHTML = '<i style="background:' + colour + '"></i>' + esc(label)
  button.classList.toggle('off', off.has(label))
  button.onclick = () => { if (!off.delete(label)) off.add(label); button.classList.toggle('off', off.has(label)); draw() }
  legend.append(button)
}
addEventListener('resize', draw)
draw()
`
