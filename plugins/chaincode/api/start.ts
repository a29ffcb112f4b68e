import { readFile } from 'node:fs/promises'
import type { SecureClientSessionOptions } from 'node:http2'
import { assertChaincode } from './chaincode.js'
import { createHost } from './host.js'
import { type ChaincodeTls, resolveConnection, type StartOptions } from './options.js'
import { ChaincodeSession } from './session.js'
import type { Chaincode } from './types.js'

const REGISTER_PATH = '/protos.ChaincodeSupport/Register'

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
  const [{ dialSession, openCall }, { readMessage, writeMessage }] = await Promise.all([import('./message-call.js'), import('../fast-codec.js')])
  const { dialTimeoutMs = 3000 } = options
  const log = options.log ?? ((level, message) => process.stderr.write(`[${connection.name}] ${level} ${message}\n`))
  const secure = connection.tls.enabled ? await secureOptions(connection.tls) : undefined
  const transport = await dialSession(connection.peer, secure, dialTimeoutMs).catch((cause: unknown) => {
    throw new Error(`cannot reach the peer at ${connection.peer} within ${dialTimeoutMs / 1000} s: ${messageOf(cause)}`, { cause })
  })
  try {
    await new Promise<void>((resolve, reject) => {
      let refusal: string | undefined
      const call = openCall(transport, REGISTER_PATH, connection.tls.enabled ? connection.tls.serverHostOverride : undefined, {
        message(bytes) {
          const before = session.state
          try {
            session.receive(readMessage(bytes))
          } catch (cause) {
            refusal = `what the peer sent cannot be read: ${messageOf(cause)}`
            return call.cancel()
          }
          if (before === 'created' && session.state === 'established') options.onRegistered?.()
        },
        ended(reason, cause) {
          session.close(reason)
          if (options.signal?.aborted) resolve()
          else reject(new Error(`the stream to the peer at ${connection.peer} ended: ${refusal ?? reason}`, { cause }))
        },
      })
      const session = new ChaincodeSession(
        chaincode,
        createHost(log),
        (message) => call.send(writeMessage(message)),
        (reason) => {
          refusal = reason
          call.end()
        },
      )
      options.signal?.addEventListener('abort', () => call.cancel(), { once: true })
      session.register(connection.name)
    })
  } finally {
    transport.destroy()
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
    process.stderr.write(`${messageOf(cause)}\n`)
    process.exitCode = 1
  }
}

async function secureOptions({ certFile, clientKeyFile, clientCertFile, serverHostOverride }: ChaincodeTls): Promise<SecureClientSessionOptions> {
  const read = async (file: string | undefined): Promise<Buffer | undefined> => (file === undefined ? undefined : readFile(file))
  const [ca, key, cert] = await Promise.all([read(certFile), read(clientKeyFile), read(clientCertFile)])
  return { ca, key, cert, ...(serverHostOverride === undefined ? {} : { servername: serverHostOverride }) }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
