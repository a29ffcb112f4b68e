import { createToken } from '../../kernel/index.js'

/** What the event hub did since the start of the peer, over gRPC and HTTP. Plain numbers; read by whoever watches the peer. */
export class EventCounters {
  /** Consumers that are connected. */
  consumers = 0
  /** Consumers that were taken in. */
  admitted = 0
  /** Turned away because there was no room. */
  refused = 0
  /** Ended because they read too slowly. */
  droppedSlow = 0
  /** Ended because their events could not be read here. */
  droppedFailed = 0
  /** Messages handed to consumers' connections: events, and echoes of what consumers register. */
  sent = 0
  sentBytes = 0
}

export const EVENT_COUNTERS = createToken<EventCounters>('event counters', 'weft/plugins/events')
