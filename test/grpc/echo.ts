import {
  Client,
  credentials,
  type ChannelCredentials,
  type ChannelOptions,
  type ClientDuplexStream,
  type MethodDefinition,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { definePlugin, type Plugin } from '../../kernel/index.js'

const bytes = { serialize: (value: string) => Buffer.from(value), deserialize: (value: Buffer) => value.toString() }

function method(name: string, streams: boolean): MethodDefinition<string, string> {
  return {
    path: `/test.Echo/${name}`,
    requestStream: streams,
    responseStream: streams,
    requestSerialize: bytes.serialize,
    requestDeserialize: bytes.deserialize,
    responseSerialize: bytes.serialize,
    responseDeserialize: bytes.deserialize,
  }
}

/** A service of one unary and one bidirectional method on strings. */
export const EchoService = { say: method('Say', false), chat: method('Chat', true) } satisfies ServiceDefinition

/** Serves EchoService on the peer listener and tells the listener's real address. */
export function echoPlugin(implementation: UntypedServiceImplementation, name = 'echo'): { readonly plugin: Plugin; address(): string } {
  let address = (): string => 'not registered'
  const plugin = definePlugin({
    name,
    apply(host) {
      host.hooks.registerServices.tap(async (listeners) => {
        const listener = listeners.get('peer')
        listener.add(EchoService, implementation)
        address = () => listener.address
      })
    },
  })
  return { plugin, address: () => address() }
}

/** A client of EchoService. */
export class EchoClient {
  readonly #client: Client

  constructor(address: string, security: ChannelCredentials = credentials.createInsecure(), options: ChannelOptions = {}) {
    this.#client = new Client(address, security, { 'grpc.max_receive_message_length': -1, 'grpc.use_local_subchannel_pool': 1, ...options })
  }

  say(word: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = EchoService.say
      const deadline = Date.now() + 5000
      this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, word, { deadline }, (error, reply) =>
        error === null ? resolve(reply ?? '') : reject(error),
      )
    })
  }

  chat(): ClientDuplexStream<string, string> {
    const { path, requestSerialize, responseDeserialize } = EchoService.chat
    return this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize)
  }

  close(): void {
    this.#client.close()
  }
}
