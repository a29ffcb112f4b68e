import { type Socket, connect } from 'node:net'
import { type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders, connect as connectHttp2 } from 'node:http2'

/** A TCP connection that never throws: attackers do not care how they are turned away. */
export async function openSocket(address: string): Promise<Socket> {
  const { host, port } = partsOf(address)
  const socket = connect({ host, port })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => undefined) // resets are among the good answers
  return socket
}

/** Resolves with what came back when the other side closes the connection, when that is enough, or when the time is over. */
export function answerOf(
  socket: Socket,
  timeoutMs: number,
  isEnough: (bytes: Buffer) => boolean = () => false,
): Promise<{ readonly bytes: Buffer; readonly isClosed: boolean }> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const finish = (isClosed: boolean) => resolve({ bytes: Buffer.concat(chunks), isClosed })
    const timer = setTimeout(() => finish(false), timeoutMs)
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      if (isEnough(Buffer.concat(chunks))) finish(false)
    })
    socket.once('close', () => {
      clearTimeout(timer)
      finish(true)
    })
  })
}

const FRAME_HEADER_BYTES = 9
const GO_AWAY = 7

/** Whether a server's HTTP/2 frames say goodbye. */
export function hasGoAway(frames: Buffer): boolean {
  for (let at = 0; at + FRAME_HEADER_BYTES <= frames.length; at += FRAME_HEADER_BYTES + frames.readUIntBE(at, 3)) {
    if (frames[at + 3] === GO_AWAY) return true
  }
  return false
}

/** An HTTP/2 connection under the level of gRPC. */
export function openHttp2(address: string): ClientHttp2Session {
  const session = connectHttp2(`http://${address}`)
  session.on('error', () => undefined) // GOAWAY and resets are among the good answers
  return session
}

/** Opens the HTTP/2 stream of a gRPC call, without sending a message. */
export function openCall(session: ClientHttp2Session, path: string, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream {
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...headers })
  stream.on('error', () => undefined) // see above
  return stream
}

/** The five bytes in front of a gRPC message. */
export function frameHeader(length: number, compressed = 0): Buffer {
  const header = Buffer.alloc(5)
  header.writeUInt8(compressed, 0)
  header.writeUInt32BE(length, 1)
  return header
}

function partsOf(address: string): { readonly host: string; readonly port: number } {
  const [host = '', port = ''] = address.split(':')
  return { host, port: Number(port) }
}
