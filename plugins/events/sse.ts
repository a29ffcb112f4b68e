import type { ServerResponse } from 'node:http'
import { type Clock, PeerError, messageOf } from '../../kernel/index.js'
import { eventJson } from '../../proto/index.js'
import type { HttpRoutes } from '../http/index.js'
import type { HubEvent } from './block-events.js'
import type { Consumer, Outlet } from './consumer.js'
import type { EventHub } from './hub.js'
import { readEventQuery } from './sse-query.js'

const HEARTBEAT_MS = 15_000
const HEARTBEAT = Buffer.from(':\n\n')
/** What a browser waits before it comes back. */
const GREETING = Buffer.from('retry: 2000\n\n')
const UNAVAILABLE = 14
const RESOURCE_EXHAUSTED = 8

/**
 * `GET /events`: the events as server-sent events, from now on or from any block on. `id:` is what a resuming client sends as `Last-Event-ID`,
 * `data:` the message in v0.6's JSON form. See README.md.
 */
export function eventRoutes(hub: EventHub, clock: Clock): HttpRoutes {
  const texts = new WeakMap<HubEvent, Buffer>()
  const encode = (event: HubEvent): Buffer => {
    const known = texts.get(event)
    if (known !== undefined) return known
    const { id, kind } = event
    const text = Buffer.concat([Buffer.from(`id: ${id}\nevent: ${kind}\ndata: `), eventJson(event.bytes), Buffer.from('\n\n')])
    texts.set(event, text)
    return text
  }
  return (app) => {
    app.get('/events', { config: { longLived: true }, exposeHeadRoute: false }, async (request, reply) => {
      try {
        const { filter, start } = readEventQuery(request.query, request.headers['last-event-id'], () => hub.nextBlock())
        hub.checkStart(start)
        const stream = new SseStream(reply.raw, request.ip, clock)
        const consumer = hub.admit(stream)
        reply.hijack()
        stream.open(consumer)
        hub.replay(consumer, filter, start, encode)
      } catch (error) {
        const isBusy = error instanceof PeerError && (error.grpcStatus === UNAVAILABLE || error.grpcStatus === RESOURCE_EXHAUSTED)
        if (isBusy) reply.header('retry-after', '5')
        if (!(error instanceof PeerError)) throw error
        await reply.code(isBusy ? 503 : 400).send({ Error: messageOf(error) })
      }
    })
  }
}

/** One consumer over HTTP. */
class SseStream implements Outlet {
  private cancelHeartbeat = (): void => undefined

  constructor(
    private readonly response: ServerResponse,
    readonly remote: string,
    private readonly clock: Clock,
  ) {}

  open(consumer: Consumer): void {
    const { response } = this
    response.on('error', () => undefined) // 'close' follows
    response.once('close', () => {
      this.cancelHeartbeat()
      consumer.release()
    })
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
    response.write(GREETING)
    this.beat(consumer)
  }

  write(bytes: Uint8Array, sent: () => void): void {
    this.response.write(bytes, sent)
  }

  fail(reason: PeerError): void {
    this.cancelHeartbeat()
    this.response.end(`event: error\ndata: ${JSON.stringify({ Error: reason.message })}\n\n`)
  }

  cut(): void {
    this.response.destroy()
  }

  /** Shows the client, and what is between, that the connection lives. */
  private beat(consumer: Consumer): void {
    this.cancelHeartbeat = this.clock.setTimer(HEARTBEAT_MS, () => {
      if (consumer.outbox.hasRoom) consumer.outbox.push(HEARTBEAT, false)
      this.beat(consumer)
    })
  }
}
