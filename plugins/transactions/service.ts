import { messageOf } from '../../kernel/index.js'
import { type Method, PeerService, type Response, Response_StatusCode, type ServiceHandlers } from '../../proto/index.js'
import { callerHost, unary } from '../grpc/index.js'
import { type ProcessTransactionParts, processTransaction } from './process-transaction.js'
import { type Submission, readSubmission, writeSubmission } from './submission.js'

/** As `PeerService.processTransaction`, but the server is handed the very bytes of the transaction: they are its identity. */
const processTransactionMethod: Method<Submission, Response, false> = {
  ...PeerService.processTransaction,
  requestSerialize: writeSubmission,
  requestDeserialize: readSubmission,
}

/** The part of `protos.Peer` that takes transactions; the network plugin serves the other one, Chat. */
export const transactionServiceDefinition = { processTransaction: processTransactionMethod }

/** ProcessTransaction over gRPC. What goes wrong with a transaction is an answer with status FAILURE, never a gRPC error (spec/wire.md §14). */
export function transactionService(parts: ProcessTransactionParts): ServiceHandlers<typeof transactionServiceDefinition> {
  return {
    processTransaction: unary(async (submission: Submission, call): Promise<Response> => {
      try {
        return { status: Response_StatusCode.SUCCESS, msg: await processTransaction(submission, parts, callerHost(call)) }
      } catch (error) {
        return { status: Response_StatusCode.FAILURE, msg: Buffer.from(messageOf(error)) }
      }
    }),
  }
}
