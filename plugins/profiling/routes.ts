import type { FastifyReply, FastifyRequest } from 'fastify'
import { messageOf, type Logger } from '../../kernel/index.js'
import type { HttpRoutes } from '../http/index.js'
import { cpuProfile } from './cpu-profile.js'
import type { HeapSampler } from './heap-profile.js'
import { type LoopDelay, loopDelayText, measureLoopDelay } from './loop-delay.js'
import { resourcesProfile, resourcesText } from './resources.js'
import { SourceNames } from './source-names.js'

const DEFAULT_SECONDS = 30
const MAX_SECONDS = 600
const TEXT = 'text/plain; charset=utf-8'
const CONFLICT = 409

const INDEX = `/debug/pprof/

profile     CPU profile of the next ?seconds=30 (at most ${MAX_SECONDS}), in pprof format
heap        objects of the JavaScript heap that live, in pprof format; ?gc=1 collects garbage before
goroutine   what keeps the event loop alive: in pprof format, ?debug=1 text, ?debug=2 each socket and process
eventloop   how late the event loop was since the start, or within the next ?seconds=N; ?format=json
cmdline     the command line, separated by NUL
symbol      answers that there are no symbols to look up: profiles hold names

Open a profile with: go tool pprof FILE, or https://speedscope.app
`

export interface ProfilingParts {
  readonly heap: HeapSampler
  readonly loop: LoopDelay
  readonly log: Logger
}

/** `/debug/pprof/*` as far as Node has the like (spec/node.md §3). */
export function profilingRoutes({ heap, loop, log }: ProfilingParts): HttpRoutes {
  const names = new SourceNames()
  const gate = new OneAtATime()
  return (app) => {
    app.get('/debug/pprof', async (_request, reply) => reply.type(TEXT).send(INDEX))
    app.get('/debug/pprof/cmdline', async (_request, reply) => reply.type(TEXT).send(process.argv.join('\0')))
    app.get('/debug/pprof/symbol', async (_request, reply) => reply.type(TEXT).send('num_symbols: 0\n'))
    app.get('/debug/pprof/heap', (request, reply) =>
      gate.run(reply, 'a heap profile', async () => sendProfile(reply, 'heap', await heap.profile(names, query(request, 'gc') === '1'))),
    )
    app.get('/debug/pprof/goroutine', async (request, reply) => {
      const debug = query(request, 'debug') ?? '0'
      if (debug !== '0') return reply.type(TEXT).send(resourcesText(debug !== '1'))
      return sendProfile(reply, 'goroutine', await resourcesProfile(names))
    })
    app.get('/debug/pprof/profile', { config: { longLived: true } }, async (request, reply) => {
      const seconds = secondsOf(query(request, 'seconds') ?? String(DEFAULT_SECONDS))
      if (seconds === undefined) return refuseSeconds(reply)
      return gate.run(reply, 'a CPU profile', async () => {
        log.notice(`taking a CPU profile of ${seconds} s`, { client: request.ip })
        return whileConnected(reply, async (signal) => sendProfile(reply, 'cpu', await cpuProfile(seconds, names, signal)))
      })
    })
    app.get('/debug/pprof/eventloop', { config: { longLived: true } }, async (request, reply) => {
      const asked = query(request, 'seconds')
      const seconds = asked === undefined ? undefined : secondsOf(asked)
      if (asked !== undefined && seconds === undefined) return refuseSeconds(reply)
      const isJson = query(request, 'format') === 'json'
      if (seconds === undefined) return isJson ? loop.report() : reply.type(TEXT).send(loopDelayText(loop.report()))
      return gate.run(reply, 'a measurement of the event loop', () =>
        whileConnected(reply, async (signal) => {
          const report = await measureLoopDelay(seconds, signal)
          return isJson ? reply.send(report) : reply.type(TEXT).send(loopDelayText(report))
        }),
      )
    })
    app.get('/debug/*', async (_request, reply) => reply.code(404).type(TEXT).send(`not found; there is:\n\n${INDEX}`))
  }
}

/** Profiles disturb what they measure, and each other: one runs, others are refused. */
class OneAtATime {
  #running: string | undefined

  async run<T>(reply: FastifyReply, what: string, work: () => Promise<T>): Promise<T | FastifyReply> {
    if (this.#running !== undefined) {
      return reply.code(CONFLICT).header('retry-after', '10').type(TEXT).send(`${this.#running} is being taken; try again when it is over\n`)
    }
    this.#running = what
    try {
      return await work()
    } finally {
      this.#running = undefined
    }
  }
}

/** Ends the work when the client has gone: nobody wants its result. */
async function whileConnected<T>(reply: FastifyReply, work: (signal: AbortSignal) => Promise<T>): Promise<T | FastifyReply> {
  const gone = new AbortController()
  const leave = (): void => gone.abort()
  reply.raw.once('close', leave)
  // Nothing moves on this connection for as long as it takes; it ends with the answer.
  reply.raw.socket?.setTimeout(0)
  void reply.header('connection', 'close')
  try {
    return await work(gone.signal)
  } catch (error) {
    if (!gone.signal.aborted) throw error
    return reply
      .code(499)
      .type(TEXT)
      .send(`the client has gone: ${messageOf(error)}\n`)
  } finally {
    reply.raw.off('close', leave)
  }
}

function sendProfile(reply: FastifyReply, name: string, bytes: Buffer): FastifyReply {
  // The compression is part of the format, not of the transfer.
  return reply.type('application/octet-stream').header('content-disposition', `attachment; filename="${name}.pb.gz"`).send(bytes)
}

function refuseSeconds(reply: FastifyReply): FastifyReply {
  return reply.code(400).type(TEXT).send(`seconds: expected a number above 0 and at most ${MAX_SECONDS}\n`)
}

function secondsOf(written: string): number | undefined {
  const seconds = /^\d{1,4}(\.\d{1,3})?$/.test(written) ? Number(written) : Number.NaN
  return seconds > 0 && seconds <= MAX_SECONDS ? seconds : undefined
}

function query({ query: values }: FastifyRequest, name: string): string | undefined {
  const value: unknown = typeof values === 'object' && values !== null ? Reflect.get(values, name) : undefined
  return typeof value === 'string' ? value : undefined
}
