import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2'
import { decode, DevopsService, Response } from '../../proto/index.js'
import { OUTCOME, WAIT } from '../devops/index.js'

const STATUS = 'grpc-status'
const MESSAGE = 'grpc-message'
const PUSHBACK = 'grpc-retry-pushback-ms'
const RESOURCE_EXHAUSTED = '8'
const PREFIX_BYTES = 5
const CLOSED = 'the connection was closed'

/**
 * What became of one invocation: in a block; accepted, where nobody waits for the block; executed without success, so that it is in no block; refused for now, with
 * the pause that was asked for; never sent; or unknown, which may be anything: also in a block, now or later.
 */
export type Answer =
  | { readonly kind: 'committed' | 'accepted'; readonly txid: string }
  | { readonly kind: 'refused'; readonly retryAfterMs: number | undefined }
  | { readonly kind: 'rejected' | 'unsent' | 'unknown'; readonly text: string }

/**
 * One connection on which an invocation is sent again and again, answered when it is in a block. It is gRPC written by hand: half the CPU of a whole
 * client, which on one machine the measured peers would lack.
 */
export class InvokeConnection {
  private readonly session: ClientHttp2Session
  private readonly frame: Buffer
  private lost: string | undefined

  /** @param address host:port of a peer without TLS */
  constructor(address: string, request: Uint8Array) {
    this.frame = Buffer.alloc(PREFIX_BYTES + request.length)
    this.frame.writeUInt32BE(request.length, 1)
    this.frame.set(request, PREFIX_BYTES)
    this.session = connect(`http://${address}`)
    this.session.on('error', (error) => {
      this.lost = error.message
    })
    this.session.on('goaway', () => {
      this.lost = 'the peer ends the connection'
    })
    this.session.on('close', () => {
      this.lost ??= CLOSED
    })
  }

  /** Answered when it is in a block, or with `waits: false` as soon as the peer has accepted it. Never rejects. */
  invoke(waits = true): Promise<Answer> {
    if (this.session.closed || this.session.destroyed) this.lost ??= CLOSED
    if (this.lost !== undefined) return Promise.resolve({ kind: 'unsent', text: this.lost })
    return new Promise((resolve) => {
      const stream = this.session.request({
        ':method': 'POST',
        ':path': DevopsService.invoke.path,
        'content-type': 'application/grpc',
        te: 'trailers',
        ...(waits ? { [WAIT]: 'outcome' } : {}),
      })
      listen(stream, waits, resolve)
      stream.end(this.frame)
    })
  }

  /** What becomes of what is on its way is not known then. */
  close(): void {
    this.session.destroy()
  }
}

function listen(stream: ClientHttp2Stream, waits: boolean, answer: (answer: Answer) => void): void {
  const body: Buffer[] = []
  let outcome: string | undefined
  let last: IncomingHttpHeaders = {}
  let failure = 'the stream ended without a status'
  stream.on('response', (headers) => {
    const told = headers[OUTCOME]
    if (typeof told === 'string') outcome = told
    last = headers
  })
  stream.on('trailers', (trailers) => {
    last = trailers
  })
  stream.on('error', (error: Error) => {
    failure = error.message
  })
  stream.on('data', (chunk: Buffer) => void body.push(chunk))
  stream.on('close', () => answer(answerOf(last, waits ? outcome : 'accepted ', failure, body)))
}

function answerOf(last: IncomingHttpHeaders, outcome: string | undefined, failure: string, body: readonly Buffer[]): Answer {
  const status = last[STATUS]
  const kind = (['committed', 'accepted'] as const).find((one) => outcome?.startsWith(`${one} `))
  if (status === '0' && kind) return { kind, txid: Buffer.from(decode(Response, Buffer.concat(body).subarray(PREFIX_BYTES)).msg).toString() }
  if (status === RESOURCE_EXHAUSTED) {
    const ms = Number(last[PUSHBACK])
    return { kind: 'refused', retryAfterMs: last[PUSHBACK] !== undefined && Number.isFinite(ms) ? ms : undefined }
  }
  if (outcome?.startsWith('rejected ')) return { kind: 'rejected', text: outcome }
  if (status === '0') return { kind: 'unknown', text: outcome ?? 'answered without an outcome' }
  return { kind: 'unknown', text: status === undefined ? failure : `status ${String(status)}: ${decodeURIComponent(String(last[MESSAGE] ?? ''))}` }
}
