import { PAGE_SCRIPT, PAGE_STYLE } from './diagram-page.js'
import { diagramData, type MessageLabel } from './diagram-data.js'
import { describeFault } from './faults.js'
import type { Played } from './play.js'
import type { Scenario } from './scenario.js'

/** What a diagram tells of its run. */
export interface DiagramFacts {
  readonly engine: string
  readonly scenario: Scenario
  readonly played: Pick<Played, 'failure' | 'trace' | 'virtualMs' | 'blocks' | 'accepted'>
  /** How to play the run again, for people. */
  readonly replay?: string
  readonly labelOf?: MessageLabel
}

/** Draws a traced run as a space-time diagram: one HTML page that needs nothing else. */
export function drawDiagram({ engine, scenario, played, replay, labelOf }: DiagramFacts): string {
  const { failure, trace, virtualMs, blocks, accepted } = played
  const lanes = laneNames(scenario)
  const data = { ...diagramData(trace.events, labelOf), lanes, members: scenario.members }
  const title = failure ? `${engine}: ${failure.statement}` : `${engine}: seed ${scenario.seed}`
  const verdict = failure?.kind ?? 'fine'
  const facts = [
    `seed ${scenario.seed}`,
    `${scenario.members} validators`,
    `${scenario.requests.length} requests, ${accepted} accepted`,
    `${blocks} blocks`,
    `${(virtualMs / 1000).toFixed(2)} s of virtual time`,
    `fidelity ${scenario.fidelity}`,
  ]
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(title)}</title><style>${PAGE_STYLE}</style></head>
<body>
<header>
  <div class="title"><span class="verdict ${verdict}">${verdict}</span><h1>${escape(failure?.statement ?? 'everything held')}</h1></div>
  <div class="facts"><b>${escape(engine)}</b>${facts.map((fact) => `<span>${escape(fact)}</span>`).join('')}</div>
  <div class="tools"><div id="legend"></div><div class="buttons"><button id="in" title="zoom in (+)">+</button><button id="out" title="zoom out (-)">&minus;</button><button id="all" title="the whole run (0)">all</button>${failure ? '<button id="end" title="where it failed (e)">failure</button>' : ''}</div></div>
</header>
<main><svg id="plot" role="img" aria-label="space-time diagram"></svg><div id="tip" hidden></div></main>
<footer>
  <p class="hint">Scroll to zoom, drag to move, hover for details, click a fault to go there. Keys: + &minus; 0 e and the arrows.</p>
  <details><summary>Faults (${scenario.faults.length})</summary><ol>${scenario.faults.map((fault) => `<li>${fault.atMs} ms, for ${fault.forMs} ms: ${escape(describeFault(fault))}</li>`).join('')}</ol></details>
  ${failure ? `<details><summary>State of the validators</summary><pre>${escape(failure.message)}</pre></details>` : ''}
  <details><summary>Scenario, to be played again${replay === undefined ? '' : `: <code>${escape(replay)}</code>`}</summary><pre>${escape(JSON.stringify(scenario, undefined, 2))}</pre></details>
</footer>
<script type="application/json" id="data">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>
<script>${PAGE_SCRIPT}</script>
</body></html>
`
}

/** Names of endpoints: members, then the second instances of twins. */
function laneNames({ members, faults }: Scenario): string[] {
  const twins = [...new Set(faults.flatMap((fault) => (fault.kind === 'twins' ? [fault.member] : [])))].sort((a, b) => a - b)
  const names = Array.from({ length: members }, (_, index) => `vp${index}`)
  return [...names, ...twins.map((member) => `vp${member} twin`)]
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
