import { Client, Metadata, status } from '@grpc/grpc-js'
import { Option } from 'clipanion'
import { type ErrorCode, PeerError } from '../../../kernel/index.js'
import { ChaincodeSpec, ChaincodeSpec_Type, type Method } from '../../../proto/index.js'
import type { RequestOutcomeReport } from '../../consensus/index.js'
import { GrpcCommand, dialFailure, isRpcError, rpcErrorText, rpcFacts, USAGE_AFTER_CALLS } from '../../grpc/index.js'
import { parseAttributes, parseConstructor } from '../constructor-message.js'
import { OUTCOME, WAIT, parseOutcome } from '../outcome.js'

/** What a call answered, and its outcome if the caller waited for it. */
export interface Answer<P> {
  readonly response: P
  readonly outcome: RequestOutcomeReport | undefined
}

/** The flags and checks that deploy, invoke and query share (spec/node.md §1). */
export abstract class ChaincodeCommand extends GrpcCommand {
  protected override readonly usageAfter = USAGE_AFTER_CALLS

  lang = Option.String('-l,--lang', 'golang', { description: 'language the chaincode is written in: golang, node, car or java' })
  ctor = Option.String('-c,--ctor', '{}', { description: 'constructor message in JSON: {"Function":"f","Args":["a"]}' })
  attributes = Option.String('-a,--attributes', '[]', { description: 'user attributes, a JSON array of strings' })
  source = Option.String('-p,--path', '', { description: 'path of the chaincode' })
  name = Option.String('-n,--name', '', { description: 'name of the chaincode returned by the deploy transaction' })
  username = Option.String('-u,--username', '', { description: 'user name, when security is enabled' })
  tid = Option.String('-t,--tid', '', { description: 'algorithm of the transaction id: sha256 (default: a random id)' })

  /** The request's specification, checked in v0.6's order. */
  protected specification(): ChaincodeSpec {
    if (this.source === '' && this.name === '') throw new PeerError('ERR_USAGE', 'Must supply value for chaincode path parameter.\n')
    const args = parseConstructor(this.ctor)
    const attributes = parseAttributes(this.attributes)
    if (this.username !== '') this.warn('Username supplied but security is disabled.')
    return ChaincodeSpec.fromPartial({
      type: languageNumber(this.lang),
      chaincodeID: { path: this.source, name: this.name },
      ctorMsg: { args: args.map((arg) => Buffer.from(arg)) },
      attributes,
    })
  }

  /** Connects, calls and closes. `doing` is v0.6's phrase for the error text, e.g. `querying`. */
  protected async ask<Q, P>(doing: string, method: Method<Q, P, false>, request: Q, wait = false): Promise<Answer<P>> {
    let client: Client
    try {
      client = await this.dial(Client)
    } catch (error) {
      throw dialFailure('Error building chaincode: ', error)
    }
    try {
      const answer = exchange(client, method, request, wait)
      return await (wait ? this.untilInterrupted(answer, 'the peer has the transaction, which may still be committed') : answer)
    } catch (error) {
      if (error instanceof PeerError && error.code === 'ERR_INTERRUPTED') throw error
      throw failedCall(doing, error)
    }
  }
}

/** What no other flags would allow, in statuses that no original gives: the usage does not follow. */
const REFUSALS: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
  [status.PERMISSION_DENIED, 'ERR_FORBIDDEN'],
  [status.RESOURCE_EXHAUSTED, 'ERR_BUSY'],
  [status.UNAVAILABLE, 'ERR_UNAVAILABLE'],
])

/** What a command fails with whose call failed, in v0.6's words. */
export function failedCall(doing: string, error: unknown): PeerError {
  const code = isRpcError(error) ? REFUSALS.get(error.code) : undefined
  return new PeerError(code ?? 'ERR_RPC', `Error ${doing} chaincode: ${rpcErrorText(error)}\n`, rpcFacts(error))
}

function exchange<Q, P>(client: Client, method: Method<Q, P, false>, request: Q, wait: boolean): Promise<Answer<P>> {
  return new Promise((resolve, reject) => {
    const metadata = new Metadata()
    if (wait) metadata.set(WAIT, 'outcome')
    let outcome: RequestOutcomeReport | undefined
    const call = client.makeUnaryRequest(method.path, method.requestSerialize, method.responseDeserialize, request, metadata, {}, (error, response) => {
      if (error) reject(error)
      else if (response === undefined) reject(new PeerError('ERR_RPC', 'the peer ended the call without an answer'))
      else if (wait && outcome === undefined) reject(new PeerError('ERR_RPC', 'the peer answered without waiting for the outcome: it is no Weft peer'))
      else resolve({ response, outcome })
    })
    call.on('metadata', (headers) => {
      const [value] = headers.get(OUTCOME)
      if (value === undefined) return
      try {
        outcome = parseOutcome(value.toString())
      } catch (error) {
        reject(error)
      }
    })
  })
}

/** v0.6 upper-cases the language and looks it up; an unknown one is UNDEFINED, which the peer refuses. */
function languageNumber(language: string): ChaincodeSpec_Type {
  const found = Object.entries(ChaincodeSpec_Type).find(([name]) => name === language.toUpperCase())
  return typeof found?.[1] === 'number' ? found[1] : ChaincodeSpec_Type.UNDEFINED
}

// v0.6's words for a name that is taken (spec/chaincode.md §12.6), which sound as if something went wrong.
const NAME_TAKEN = 'deploy attempted but a chaincode with same name running'
const ALREADY_DEPLOYED = 'the same code with the same arguments is already deployed under that name: call it, or change the code or the arguments'

/** How a waited-for outcome is printed; throws for a rejection, so that the command fails. */
export function requireCommitted(txid: string, outcome: RequestOutcomeReport): { readonly json: Readonly<Record<string, unknown>>; readonly line: string } {
  if (outcome.status === 'rejected') {
    const hint = outcome.error.includes(NAME_TAKEN) ? ALREADY_DEPLOYED : undefined
    throw new PeerError('ERR_TRANSACTION_REJECTED', `transaction ${txid} was rejected in block ${outcome.block}: ${outcome.error}`, {
      ...(hint === undefined ? {} : { hint }),
      details: { txid, block: outcome.block.toString(), error: outcome.error },
    })
  }
  return {
    json: { status: 'committed', block: Number(outcome.block), index: outcome.index },
    line: `Transaction ${txid} is committed in block ${outcome.block}\n`,
  }
}
