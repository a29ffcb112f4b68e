import { PeerError, messageOf } from '../../../kernel/index.js'
import { ChaincodeInvocationSpec, type ChaincodeSpec } from '../../../proto/index.js'
import type { Caller, Devops } from '../../devops/index.js'
import { goUtf8 } from '../../../proto/index.js'
import { RPC_ERRORS, type RpcAnswer, type RpcError, failure, refusal, success } from './answers.js'
import { type RpcRequest, type SpecDraft, readRequest, toChaincodeSpec } from './request.js'

/** What /chaincode works with. */
export interface RpcParts {
  /** The service of the moment: its plugin may be replaced. */
  readonly devops: () => Devops
  /** chaincode.mode is dev: chaincodes have names instead of paths. */
  readonly isDevelopment: boolean
}

interface Method {
  /** What is wrong with the chaincode id, if anything. */
  readonly wrongId: (id: { readonly path: string; readonly name: string }, isDevelopment: boolean) => string | undefined
  readonly run: (spec: ChaincodeSpec, devops: Devops, caller: Caller) => Promise<string>
  readonly error: RpcError
  readonly doing: string
}

const nameMissing = ({ name }: { readonly name: string }): string | undefined => (name === '' ? 'Chaincode name may not be blank.' : undefined)

const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  [
    'deploy',
    {
      wrongId({ path, name }, isDevelopment) {
        if (isDevelopment) return name === '' ? 'Chaincode name may not be blank in development mode.' : undefined
        return path === '' ? 'Chaincode path may not be blank.' : undefined
      },
      run: async (spec, devops, caller) => (await devops.deploy(spec, caller)).txid,
      error: RPC_ERRORS.deployment,
      doing: 'deploying',
    },
  ],
  [
    'invoke',
    {
      wrongId: nameMissing,
      run: async (chaincodeSpec, devops, caller) => (await devops.invoke(ChaincodeInvocationSpec.fromPartial({ chaincodeSpec }), caller)).txid,
      error: RPC_ERRORS.invocation,
      doing: 'invoking',
    },
  ],
  [
    'query',
    {
      wrongId: nameMissing,
      run: async (chaincodeSpec, devops) => goUtf8(await devops.query(ChaincodeInvocationSpec.fromPartial({ chaincodeSpec }))),
      error: RPC_ERRORS.query,
      doing: 'querying',
    },
  ],
])

/** Answers the body of a POST to /chaincode; the checks stand in the order of spec/node.md §6.4. A notification is carried out and answered with nothing. */
export async function answerRpc(body: Uint8Array, parts: RpcParts, caller: Caller = {}): Promise<RpcAnswer> {
  if (body.length === 0) return refusal(400, RPC_ERRORS.invalidRequest, 'Client must supply a payload for chaincode requests.', undefined)
  const read = readRequest(body)
  if ('wrong' in read) return refusal(400, RPC_ERRORS.parse, `Error unmarshalling chaincode request payload: ${read.wrong}`, undefined)
  const answer = await dispatch(read.request, parts, caller)
  return read.request.id === undefined ? { status: 200, body: '' } : answer
}

async function dispatch({ jsonrpc, method: name, params, id }: RpcRequest, parts: RpcParts, caller: Caller): Promise<RpcAnswer> {
  if (jsonrpc === undefined) return refusal(400, RPC_ERRORS.invalidRequest, 'Missing JSON RPC 2.0 version string.', id)
  if (jsonrpc !== '2.0') return refusal(400, RPC_ERRORS.invalidRequest, 'Invalid JSON RPC 2.0 version string. Must be 2.0.', id)
  if (name === undefined) return refusal(400, RPC_ERRORS.invalidRequest, 'Missing JSON RPC 2.0 method string.', id)
  const method = METHODS.get(name)
  if (method === undefined) return refusal(404, RPC_ERRORS.methodNotFound, 'Requested method does not exist.', id)
  // v0.6 says deploy whatever the method.
  if (params === undefined) return refusal(400, RPC_ERRORS.invalidParams, 'Client must supply ChaincodeSpec for chaincode deploy request.', id)
  const wrong = wrongParams(params, method, parts.isDevelopment)
  if (wrong !== undefined) return failure(RPC_ERRORS.invalidParams, wrong, id)
  try {
    return success(await method.run(toChaincodeSpec(params), parts.devops(), caller), id)
  } catch (error) {
    return failure(method.error, `Error when ${method.doing} chaincode: ${messageOf(error)}`, id, retrySeconds(error))
  }
}

function wrongParams({ chaincodeID, args }: SpecDraft, method: Method, isDevelopment: boolean): string | undefined {
  if (chaincodeID === undefined) return 'Payload must contain a ChaincodeID.'
  const wrong = method.wrongId(chaincodeID, isDevelopment)
  if (wrong !== undefined) return wrong
  return args === undefined || args.length === 0 ? 'Payload must contain a CtorMsg with a Chaincode function name.' : undefined
}

/** When to try again after an error that says so: whole seconds, at least one. */
function retrySeconds(error: unknown): number | undefined {
  if (!(error instanceof PeerError) || !error.retryable) return undefined
  const { retryAfterMs } = error.details
  return typeof retryAfterMs === 'number' ? Math.max(1, Math.ceil(retryAfterMs / 1000)) : 1
}
