import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js'
import {
  ChaincodeMessage,
  ChaincodeMessage_Type as Type,
  ChaincodeSupportService,
  decode,
  type Encodable,
  RangeQueryStateClose,
  encode,
  RangeQueryStateResponse,
} from '../../../proto/index.js'

type Stream = ServerDuplexStream<ChaincodeMessage, Encodable<ChaincodeMessage>>

/** One line of a script: what the peer sends, or what it expects to receive. */
export type Line = { readonly send: Uint8Array } | { readonly expect: Uint8Array }

export interface ScriptedPeer {
  readonly address: string
  /** Resolves when the script has been played to its end; rejects at the first message that differs. */
  readonly played: Promise<void>
  close(): void
}

/** A peer that plays one script with the first chaincode that registers, and then ends the stream. */
export async function scriptedPeer(lines: readonly Line[]): Promise<ScriptedPeer> {
  const server = new Server({ 'grpc.max_receive_message_length': -1 })
  const played = new Promise<void>((resolve, reject) => {
    server.addService(ChaincodeSupportService, {
      register(stream: Stream) {
        const rest = [...lines]
        const advance = () => {
          for (let line = rest[0]; line !== undefined && 'send' in line; line = rest[0]) {
            stream.write(line.send)
            rest.shift()
          }
          if (rest.length > 0) return
          resolve()
          stream.end()
        }
        stream.on('data', (message: ChaincodeMessage) => {
          if (message.type === Type.RANGE_QUERY_STATE_CLOSE) return void stream.write(closeAnswer(message))
          const line = rest.shift()
          const found = hex(encode(ChaincodeMessage, message))
          const wanted = line !== undefined && 'expect' in line ? hex(line.expect) : 'nothing'
          if (found !== wanted) return reject(new Error(`expected ${wanted}, received ${found} (${Type[message.type]})`))
          advance()
        })
        stream.on('error', reject)
      },
    })
  })
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error))),
  )
  return { address: `127.0.0.1:${port}`, played, close: () => server.forceShutdown() }
}

/** The API closes each range, the original only some: so closing is answered whenever it happens. */
function closeAnswer({ txid, payload }: ChaincodeMessage): ChaincodeMessage {
  const { ID } = decode(RangeQueryStateClose, payload)
  return ChaincodeMessage.create({ type: Type.RESPONSE, txid, payload: encode(RangeQueryStateResponse, { keysAndValues: [], hasMore: false, ID }) })
}

/** The lines of a recorded session's stream, without closings of ranges and their answers. */
export function linesOf(messages: readonly { readonly direction?: string | undefined; readonly hex?: string | undefined }[]): Line[] {
  const lines: Line[] = []
  let skipReply = false
  for (const { direction, hex: recorded } of messages) {
    if (recorded === undefined) continue
    const bytes = Buffer.from(recorded, 'hex')
    if (direction === 'chaincode->peer') {
      skipReply = decode(ChaincodeMessage, bytes).type === Type.RANGE_QUERY_STATE_CLOSE
      if (!skipReply) lines.push({ expect: bytes })
    } else {
      if (!skipReply) lines.push({ send: bytes })
      skipReply = false
    }
  }
  return lines
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
