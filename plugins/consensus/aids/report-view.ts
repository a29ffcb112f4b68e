import type { ConsensusReport } from '../../../proto/index.js'

/** What an engine says of the moment: engines call it view, term or round; primary, leader or sequencer. */
export interface Leadership {
  readonly view: string | undefined
  /** Id of the member that leads, as far as the engine knows. */
  readonly leader: string | undefined
}

const VIEWS = ['view', 'term', 'round'] as const
const LEADERS = ['leader', 'primary', 'sequencer'] as const

/** What the engine of a peer says of itself; empty if it says nothing, or no JSON object. */
export function engineViewOf({ engineView }: Pick<ConsensusReport, 'engineView'>): Readonly<Record<string, unknown>> {
  try {
    const view: unknown = engineView === '' ? {} : JSON.parse(engineView)
    return typeof view === 'object' && view !== null && !Array.isArray(view) ? { ...view } : {}
  } catch (error) {
    if (error instanceof SyntaxError) return {}
    throw error
  }
}

/** View and leader, under whichever name the engine shows them. A leader that is a number is the index of a member. */
export function leadershipOf(report: Pick<ConsensusReport, 'engineView' | 'members'>): Leadership {
  const shown = engineViewOf(report)
  const view = VIEWS.map((name) => shown[name]).find(isNumberOrText)
  const leader = LEADERS.map((name) => shown[name]).find(isNumberOrText)
  return {
    view: view === undefined ? undefined : String(view),
    leader: typeof leader === 'number' ? report.members.find(({ index }) => index === leader)?.id : leader,
  }
}

function isNumberOrText(value: unknown): value is number | string {
  return typeof value === 'number' || (typeof value === 'string' && value !== '')
}
