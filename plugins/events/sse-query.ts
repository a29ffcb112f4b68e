import { PeerError } from '../../kernel/index.js'
import type { Height } from '../ledger/index.js'
import type { HubEvent } from './block-events.js'
import type { EventFilter } from './interests.js'
import { type EventKind, parseBlockNumber, parsePosition } from './position.js'
import type { ReplayStart } from './replay-feed.js'

const INVALID_ARGUMENT = 3
const PARAMETERS = ['from', 'chaincode', 'event', 'types'] as const
const KINDS: readonly EventKind[] = ['rejection', 'block', 'chaincode']
const MAX_CHARACTERS = 1024

/** What a request for events asks for. Throws PeerError that names the parameter. */
export function readEventQuery(
  query: unknown,
  lastEventId: string | readonly string[] | undefined,
  nextBlock: () => Height,
): { readonly filter: EventFilter; readonly start: ReplayStart } {
  const given = parametersOf(query)
  const { from, chaincode, event, types } = given
  const filter = new EventTypeFilter(typesOf(types, chaincode), chaincode, event)
  if (!filter.wantsChaincode && (chaincode !== undefined || event !== undefined))
    throw invalid('chaincode and event: expected with types that include chaincode')
  // A client that comes back repeats its first request: where it was counts, not where it began.
  if (lastEventId !== undefined && lastEventId !== '') return { filter, start: { after: parsePosition(String(lastEventId), 'Last-Event-ID') } }
  return { filter, start: { from: from === undefined ? nextBlock() : parseBlockNumber(from, 'from') } }
}

/** Chooses by kind, and chaincode events by chaincode and name; `undefined`: any. */
class EventTypeFilter implements EventFilter {
  readonly wantsRejections: boolean
  readonly wantsBlocks: boolean
  readonly wantsChaincode: boolean

  constructor(
    kinds: ReadonlySet<EventKind>,
    private readonly chaincode: string | undefined,
    private readonly event: string | undefined,
  ) {
    this.wantsRejections = kinds.has('rejection')
    this.wantsBlocks = kinds.has('block')
    this.wantsChaincode = kinds.has('chaincode')
  }

  count({ position, chaincodeID, eventName }: HubEvent): number {
    if (position.kind === 'block') return Number(this.wantsBlocks)
    if (position.kind === 'rejection') return Number(this.wantsRejections)
    const isWanted = this.wantsChaincode && (this.chaincode ?? chaincodeID) === chaincodeID && (this.event ?? eventName) === eventName
    return Number(isWanted)
  }
}

function parametersOf(query: unknown): Partial<Record<(typeof PARAMETERS)[number], string>> {
  const given: Partial<Record<(typeof PARAMETERS)[number], string>> = {}
  for (const [name, value] of Object.entries(typeof query === 'object' && query !== null ? query : {})) {
    const known = PARAMETERS.find((parameter) => parameter === name)
    if (known === undefined) throw invalid(`expected the parameters ${PARAMETERS.join(', ')}, found ${JSON.stringify(name.slice(0, 100))}`)
    if (typeof value !== 'string') throw invalid(`${known}: expected once, found several times`)
    if (value.length > MAX_CHARACTERS) throw invalid(`${known}: expected at most ${MAX_CHARACTERS} characters, found ${value.length}`)
    given[known] = value
  }
  return given
}

function typesOf(types: string | undefined, chaincode: string | undefined): ReadonlySet<EventKind> {
  if (types === undefined) return new Set([chaincode === undefined ? 'block' : 'chaincode'])
  return new Set(
    types.split(',').map((type) => {
      const known = KINDS.find((kind) => kind === type)
      if (known === undefined) throw invalid(`types: expected a list of ${KINDS.join(', ')}, found ${JSON.stringify(type)}`)
      return known
    }),
  )
}

function invalid(message: string): PeerError {
  return new PeerError('ERR_EVENTS_QUERY', message, { grpcStatus: INVALID_ARGUMENT })
}
