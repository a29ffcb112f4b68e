import { STATUS_CODES, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

const RETRY_AFTER_SECONDS = 1

/** Answers a request that is not looked at: 503 with a hint when to try again. Its body is not read; the connection ends. */
export function refuseRequest(response: ServerResponse, why: string): void {
  response.setHeader('Retry-After', RETRY_AFTER_SECONDS)
  response.setHeader('Connection', 'close')
  refuseWith(response, 503, why)
}

/** Answers a request with an error in v0.6's envelope. */
export function refuseWith(response: ServerResponse, status: number, why: string): void {
  const body = `${JSON.stringify({ Error: why })}\n`
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }).end(body)
}

const REFUSALS: Readonly<Record<string, readonly [status: number, why: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'the head of the request is too large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not come in time'],
}

/** Answers what is no HTTP request, or came too slowly, and closes the connection. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const [status, why] = REFUSALS[error.code ?? ''] ?? [400, 'this is not an HTTP request']
  const body = `${JSON.stringify({ Error: why })}\n`
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, 'Content-Type: application/json', `Content-Length: ${body.length}`, 'Connection: close']
  // Destroyed when it is written: a client that goes on sending must not keep the connection.
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
