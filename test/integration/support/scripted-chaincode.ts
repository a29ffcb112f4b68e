import type { ClientDuplexStream } from '@grpc/grpc-js'
import { ChaincodeID, ChaincodeMessage, ChaincodeMessage_Type as T, ChaincodeSupportService, type Encodable, encode, openStream } from '../../../proto/index.js'
import type { TestClient } from './client.js'

/** A chaincode stream that does whatever a test wants, in any order. */
export class ScriptedChaincode {
  readonly received: ChaincodeMessage[] = []
  /** How the peer ended the stream. */
  readonly ended: Promise<{ readonly code: number; readonly details: string }>
  readonly stream: ClientDuplexStream<Encodable<ChaincodeMessage>, ChaincodeMessage>
  onMessage: (message: ChaincodeMessage) => void = () => undefined

  constructor(client: TestClient) {
    this.stream = openStream(client.grpc, ChaincodeSupportService.register)
    this.stream.on('error', () => undefined) // `ended` tells it
    this.stream.on('data', (message: ChaincodeMessage) => {
      this.received.push(message)
      this.onMessage(message)
    })
    this.ended = new Promise((resolve) => this.stream.on('status', ({ code, details }) => resolve({ code, details })))
  }

  send(type: T, txid = '', payload: Uint8Array = new Uint8Array(0)): void {
    this.stream.write(ChaincodeMessage.fromPartial({ type, txid, payload }))
  }

  register(name: string): void {
    this.send(T.REGISTER, '', encode(ChaincodeID, { name, path: '' }))
  }

  /** Registers and waits for the answer. */
  async registered(name: string): Promise<this> {
    const answered = new Promise<void>((resolve) => {
      this.onMessage = ({ type }) => type === T.REGISTERED && resolve()
    })
    this.register(name)
    await answered
    return this
  }
}
