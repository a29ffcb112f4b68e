import { type Card, countOf, type Finding, type Part, PARTS, type Subject } from './card.js'

const SIGNS = { passed: '✓', failed: '✗', warned: '!', skipped: '-' } as const
const BAR = 24

const TITLES: Readonly<Record<Part, string>> = {
  package: 'the package',
  promises: 'what it promises',
  conformance: 'conformance',
  determinism: 'determinism',
  hostile: 'hostile bytes',
  growth: 'growth',
  dispose: 'disposal',
}

/** The card for a terminal. */
export function cardText({ subject, findings }: Card): string {
  const parts = PARTS.flatMap((part) => {
    const own = findings.filter((finding) => finding.part === part)
    return own.length === 0 ? [] : ['', TITLES[part], ...own.flatMap(findingLines)]
  })
  return `${[headline(subject), ...parts, '', `tolerates ${tolerances(subject)}`, verdict(findings)].join('\n')}\n`
}

/** The card for a README. */
export function cardMarkdown({ subject, findings }: Card): string {
  const rows = PARTS.flatMap((part) => {
    const own = findings.filter((finding) => finding.part === part)
    if (own.length === 0) return []
    const counts = (['passed', 'warned', 'failed', 'skipped'] as const).flatMap((one) => (countOf(own, one) === 0 ? [] : [`${countOf(own, one)} ${one}`]))
    return [`| ${TITLES[part]} | ${counts.join(', ')} |`]
  })
  const notable = findings.filter(({ verdict }) => verdict !== 'passed')
  const notes = notable.map(
    ({ part, name, verdict, detail }) => `- ${verdict}: ${TITLES[part]}: ${escaped(name)}${detail === undefined ? '' : `: ${escaped(firstLine(detail))}`}`,
  )
  const bears = subject.tolerates.map(({ n, crashed, byzantine }) => `| ${n} | ${crashed} | ${byzantine} |`)
  return [
    '## Report card',
    '',
    `${headline(subject)}: ${verdict(findings)}`,
    '',
    '| checks | |',
    '|---|---|',
    ...rows,
    ...(notes.length === 0 ? [] : ['', ...notes]),
    '',
    '| validators | may crash | may lie |',
    '|---|---|---|',
    ...bears,
    '',
  ].join('\n')
}

/** A line that shows how far the checks are. */
export function progressLine(done: number, total: number, now: string): string {
  const filled = Math.round((Math.min(done, total) / Math.max(1, total)) * BAR)
  return `\r\u001b[K${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${done}/${total} ${now}`.slice(0, 110)
}

function headline({ engine, version, agreement, package: name, weft, node, seeds }: Subject): string {
  return `${name === undefined ? '' : `${name}: `}${engine} ${version}${agreement ? '' : ' (without agreement)'}, checked by weft ${weft} on node ${node} with ${seeds} seeds`
}

function tolerances({ tolerates }: Subject): string {
  return tolerates.map(({ n, crashed, byzantine }) => `of ${n}: ${crashed} crashed, ${byzantine} byzantine`).join('; ')
}

function verdict(findings: readonly Finding[]): string {
  const [passed, warned, failed, skipped] = (['passed', 'warned', 'failed', 'skipped'] as const).map((one) => countOf(findings, one))
  return `${passed} passed, ${failed} failed, ${warned} to look at, ${skipped} not made`
}

function findingLines({ name, verdict, detail, seconds }: Finding): string[] {
  const time = seconds !== undefined && seconds >= 0.1 ? ` (${seconds.toFixed(1)} s)` : ''
  const more = detail === undefined ? [] : detail.split('\n').map((line) => `      ${line}`)
  return [`  ${SIGNS[verdict]} ${name}${time}`, ...more]
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? ''
}

function escaped(text: string): string {
  return text.replace(/[|<>`*_[\]\\]/g, '\\$&')
}
