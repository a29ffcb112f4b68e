import { messageOf } from '../../../kernel/index.js'
import type { ConsensusReport } from '../../../proto/index.js'

/** What an engine says of the moment: engines call it view, term or round; primary, leader or sequencer. */
export interface Leadership {
  readonly view: string | undefined
  /** Id of the member that leads, as far as the engine knows. */
  readonly leader: string | undefined
}

const VIEWS = ['view', 'term', 'round'] as const
const LEADERS = ['leader', 'primary', 'sequencer'] as const

const MOST_CHARACTERS = 64 * 1024

/** What an engine says of itself, as it is reported; what is no JSON, or too much, is named in its place: it must not keep the rest of a report from whoever asks. */
export function viewJson(view: Readonly<Record<string, unknown>>): string {
  try {
    const json = JSON.stringify(view)
    return json.length <= MOST_CHARACTERS ? json : JSON.stringify({ unshown: `its status has ${json.length} characters, more than ${MOST_CHARACTERS}` })
  } catch (error) {
    return JSON.stringify({ unshown: `its status is no JSON: ${messageOf(error)}` })
  }
}

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
  const view = viewIn(shown)
  const leader = leaderIn(shown)
  return {
    view: view === undefined ? undefined : String(view),
    leader: typeof leader === 'number' ? report.members.find(({ index }) => index === leader)?.id : leader,
  }
}

/** The view that an engine shows, under whichever name. */
export function viewIn(shown: Readonly<Record<string, unknown>>): number | string | undefined {
  return firstOf(shown, VIEWS)
}

/** Who leads as an engine shows it, under whichever name: the index of a member, or its id. */
export function leaderIn(shown: Readonly<Record<string, unknown>>): number | string | undefined {
  return firstOf(shown, LEADERS)
}

function firstOf(shown: Readonly<Record<string, unknown>>, names: readonly string[]): number | string | undefined {
  for (const name of names) {
    const value = shown[name]
    if (isNumberOrText(value)) return value
  }
  return undefined
}

function isNumberOrText(value: unknown): value is number | string {
  return typeof value === 'number' || (typeof value === 'string' && value !== '')
}
