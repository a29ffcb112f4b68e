import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants, type IncomingHttpHeaders, type SecureClientSessionOptions } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { FrameReader, frameOf } from '../../grpc/message-frames.js'

/** Between two tries to dial. */
const RETRY_MS = 100
const OK = '0'

/** What a client does with what one call brings. */
export interface CallReceiver {
  /** A message; a view of what was received. */
  message(bytes: Buffer): void
  /** The call is over: why, as the server says it, or else what happened. Called once. */
  ended(reason: string, cause?: Error): void
}

/** The client's side of one two-way gRPC call whose messages are bytes. */
export interface MessageCall {
  send(message: Uint8Array): void
  /** Sends nothing more; the server ends the call. */
  end(): void
  /** Gives the call up. */
  cancel(): void
}

/**
 * Connects to a gRPC server, trying again until the limit is over. `secure`: how TLS is done; nothing: without TLS.
 *
 * @throws Error with the last failure
 */
export async function dialSession(address: string, secure: SecureClientSessionOptions | undefined, limitMs: number): Promise<ClientHttp2Session> {
  const deadline = performance.now() + limitMs
  for (;;) {
    try {
      return await session(`${secure === undefined ? 'http' : 'https'}://${address}`, secure ?? {}, Math.max(1, deadline - performance.now()))
    } catch (cause) {
      if (performance.now() + RETRY_MS >= deadline) throw cause
    }
    await sleep(RETRY_MS)
  }
}

/** One try; it is made when the server has said that it speaks HTTP/2. */
function session(url: string, options: SecureClientSessionOptions, limitMs: number): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const made = connect(url, options)
    const expiry = setTimeout(() => made.destroy(new Error('no answer')), limitMs)
    made.once('remoteSettings', () => {
      clearTimeout(expiry)
      resolve(made)
    })
    // A connection that breaks later ends its call, which tells.
    made.on('error', reject)
    made.once('close', () => {
      clearTimeout(expiry)
      reject(new Error('the connection was closed'))
    })
  })
}

/**
 * Opens a call. For streams on which one message waits for the other: of gRPC there is what such a call needs, five bytes before each message and the status
 * after the last one, since the layers of a whole client are the larger part of what a small message costs.
 */
export function openCall(session: ClientHttp2Session, path: string, authority: string | undefined, receiver: CallReceiver): MessageCall {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    ...(authority === undefined ? {} : { ':authority': authority }),
    'content-type': 'application/grpc',
    te: 'trailers',
    'user-agent': 'weft-chaincode',
  })
  const reader = new FrameReader(-1)
  let refusal: string | undefined
  stream.on('data', (chunk: Buffer) => {
    reader.add(chunk)
    for (let next = reader.next(); next !== undefined && refusal === undefined; next = reader.next()) {
      if ('refusal' in next) {
        refusal = next.refusal
        stream.close(constants.NGHTTP2_CANCEL)
      } else receiver.message(next)
    }
  })
  listenForEnd(stream, (reason, cause) => receiver.ended(refusal ?? reason, cause))
  return {
    send(message) {
      if (!stream.writableEnded && !stream.destroyed) stream.write(frameOf(message))
    },
    end: () => stream.end(),
    cancel: () => stream.close(constants.NGHTTP2_CANCEL),
  }
}

function listenForEnd(stream: ClientHttp2Stream, ended: (reason: string, cause?: Error) => void): void {
  let last: IncomingHttpHeaders = {}
  let httpStatus: number | undefined
  let failure: Error | undefined
  stream.on('response', (headers) => {
    httpStatus = headers[':status']
    last = headers
  })
  stream.on('trailers', (trailers) => {
    last = trailers
  })
  stream.on('error', (error) => {
    failure = error
  })
  // The server has ended the call, whatever this side still meant to send.
  stream.on('end', () => stream.end())
  stream.on('close', () => {
    const status = last['grpc-status']
    if (status === OK) return ended('the peer closed it')
    if (status !== undefined) return ended(textOf(last['grpc-message']) || `status ${String(status)}`)
    if (httpStatus !== undefined && httpStatus !== constants.HTTP_STATUS_OK) return ended(`it answers with HTTP status ${httpStatus}`)
    ended(failure?.message ?? 'the connection was closed', failure)
  })
}

/** gRPC writes percent signs before bytes that are not ASCII; what is not written so is taken as it is. */
function textOf(message: string | string[] | undefined): string {
  const written = String(message ?? '')
  try {
    return decodeURIComponent(written)
  } catch {
    return written
  }
}
