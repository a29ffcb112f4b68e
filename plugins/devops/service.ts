import { Metadata, type ServerUnaryCall } from '@grpc/grpc-js'
import {
  type ChaincodeDeploymentSpec,
  type ChaincodeInvocationSpec,
  type ChaincodeSpec,
  type DevopsService,
  type ExecuteWithBinding,
  type Response,
  Response_StatusCode,
  type Secret,
  type ServiceHandlers,
  type SigmaInput,
} from '../../proto/index.js'
import type { ChaincodeSupport } from '../chaincode/index.js'
import { callerHost, unary } from '../grpc/index.js'
import type { Caller, Devops, Submitted } from './devops.js'
import { OUTCOME, WAIT, outcomeMetadata } from './outcome.js'

const text = new TextEncoder()

function failure(message: string): Response {
  return { status: Response_StatusCode.FAILURE, msg: text.encode(message) }
}

/** The Devops service over gRPC. Application errors are gRPC status 2 with v0.6's texts (spec/node.md §5). */
export function devopsService(devops: Devops, chaincode: ChaincodeSupport): ServiceHandlers<typeof DevopsService> {
  const securityOff = unary(async (_request: Secret | SigmaInput | ExecuteWithBinding) => failure('Security NOT enabled'))
  return {
    login: unary(async (_request: Secret) => failure('Security NOT enabled')),
    build: unary((spec: ChaincodeSpec): Promise<ChaincodeDeploymentSpec> => chaincode.build(spec)),
    deploy: unary(async (spec: ChaincodeSpec, call): Promise<ChaincodeDeploymentSpec> => {
      const submitted = await devops.deploy(spec, callerOf(call))
      if (wantsOutcome(call)) await answerOutcome(call, submitted)
      return submitted.deployment
    }),
    invoke: unary(async (invocation: ChaincodeInvocationSpec, call): Promise<Response> => {
      const submitted = await devops.invoke(invocation, callerOf(call))
      if (wantsOutcome(call)) await answerOutcome(call, submitted)
      return { status: Response_StatusCode.SUCCESS, msg: text.encode(submitted.txid) }
    }),
    query: unary(
      async (invocation: ChaincodeInvocationSpec): Promise<Response> => ({ status: Response_StatusCode.SUCCESS, msg: await devops.query(invocation) }),
    ),
    expGetApplicationTCert: securityOff,
    expPrepareForTx: securityOff,
    expProduceSigma: securityOff,
    expExecuteWithBinding: securityOff,
  }
}

function callerOf<Q, P>(call: ServerUnaryCall<Q, P>): Caller {
  const [traceParent] = call.metadata.get('traceparent')
  const host = callerHost(call)
  return typeof traceParent === 'string' ? { host, traceParent } : { host }
}

function wantsOutcome<Q, P>({ metadata }: ServerUnaryCall<Q, P>): boolean {
  return metadata.get(WAIT).length > 0
}

/** Weft's addition: a caller who sends `weft-wait` gets the answer when the transaction has an outcome, which travels in the headers. */
async function answerOutcome<Q, P>(call: ServerUnaryCall<Q, P>, { accepted }: Submitted): Promise<void> {
  const metadata = new Metadata()
  metadata.set(OUTCOME, outcomeMetadata(await accepted.outcome()))
  call.sendMetadata(metadata)
}
