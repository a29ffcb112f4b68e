import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { checkServerIdentity } from 'node:tls'
import type * as Grpc from '@grpc/grpc-js'
import { assertChaincode } from './chaincode.js'
import { createHost } from './host.js'
import { type Connection, resolveConnection, type StartOptions } from './options.js'
import { ChaincodeSession } from './session.js'
import type { Chaincode } from './types.js'

/**
 * Connects a chaincode to a peer and serves it until the stream ends. Rejects with the reason then, as v0.6's shim returns it;
 * resolves only if `signal` ended it. {@link main} prints the reason and sets the exit code.
 *
 * @throws Error if the address or name is missing, the peer cannot be reached within 3 s, or the stream ends
 */
export async function start(chaincode: Chaincode, options: StartOptions = {}): Promise<void> {
  assertChaincode(chaincode, 'start(chaincode)')
  const connection = resolveConnection(options, process.argv.slice(2), process.env)
  // Loaded here, so that importing the API for its types and errors stays cheap.
  const [grpc, { ChaincodeSupportService, openStream }] = await Promise.all([import('@grpc/grpc-js'), import('../../../proto/index.js')])
  const { dialTimeoutMs = 3000 } = options
  const client = new grpc.Client(connection.peer, await credentials(connection, grpc), channelOptions(connection))
  const log = options.log ?? ((level, message) => process.stderr.write(`[${connection.name}] ${level} ${message}\n`))
  try {
    await new Promise<void>((resolve, reject) =>
      client.waitForReady(Date.now() + dialTimeoutMs, (error) =>
        error === undefined
          ? resolve()
          : reject(new Error(`cannot reach the peer at ${connection.peer} within ${dialTimeoutMs / 1000} s: ${error.message}`, { cause: error })),
      ),
    )
    await new Promise<void>((resolve, reject) => {
      const stream = openStream(client, ChaincodeSupportService.register)
      let refusal: string | undefined
      const session = new ChaincodeSession(
        chaincode,
        createHost(log),
        (message) => stream.write(message),
        (reason) => {
          refusal = reason
          stream.end()
        },
      )
      const finish = (reason: string, cause?: unknown) => {
        session.close(reason)
        if (options.signal?.aborted) resolve()
        else reject(new Error(`the stream to the peer at ${connection.peer} ended: ${refusal ?? reason}`, { cause }))
      }
      stream.on('data', (message) => {
        const before = session.state
        session.receive(message)
        if (before === 'created' && session.state === 'established') options.onRegistered?.()
      })
      stream.on('error', (error) => finish('details' in error ? String(error.details) : error.message, error))
      stream.on('end', () => finish('the peer closed it'))
      options.signal?.addEventListener('abort', () => stream.cancel(), { once: true })
      session.register(connection.name)
    })
  } finally {
    client.close()
  }
}

/**
 * For the last line of a chaincode that is its own program: serves it; when the stream ends prints why and sets exit code 1.
 *
 * @example
 * await main(chaincode)
 */
export async function main(chaincode: Chaincode, options: StartOptions = {}): Promise<void> {
  try {
    await start(chaincode, options)
  } catch (cause) {
    process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n`)
    process.exitCode = 1
  }
}

async function credentials({ peer, tls }: Connection, grpc: typeof Grpc): Promise<Grpc.ChannelCredentials> {
  if (!tls.enabled) return grpc.credentials.createInsecure()
  const read = async (file: string | undefined): Promise<Buffer | null> => (file === undefined ? null : readFile(file))
  const [trusted, key, certificate] = await Promise.all([read(tls.certFile), read(tls.clientKeyFile), read(tls.clientCertFile)])
  const host = ipHost(peer)
  if (host === undefined || tls.serverHostOverride !== undefined) return grpc.credentials.createSsl(trusted, key, certificate)
  return grpc.credentials.createSsl(trusted, key, certificate, { checkServerIdentity: (_announced, certificate) => checkServerIdentity(host, certificate) })
}

/** The host of an address if it is an IP address. */
function ipHost(address: string): string | undefined {
  const host = address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '')
  return isIP(host) === 0 ? undefined : host
}

function channelOptions({ peer, tls }: Connection): Partial<Grpc.ClientOptions> {
  // grpc-js would announce an IP address as server name, which RFC 6066 forbids and Node warns of (DEP0123): a name that says nothing instead.
  const announced = tls.enabled && ipHost(peer) !== undefined ? { 'grpc.ssl_target_name_override': 'localhost' } : {}
  return {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc.enable_http_proxy': 0,
    ...(tls.serverHostOverride === undefined
      ? announced
      : { 'grpc.ssl_target_name_override': tls.serverHostOverride, 'grpc.default_authority': tls.serverHostOverride }),
  }
}
