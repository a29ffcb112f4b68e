import { PeerError, messageOf } from '../../kernel/index.js'
import { type Method, PeerService, type Response, Response_StatusCode, type ServiceHandlers } from '../../proto/index.js'
import { failStream, unary } from '../grpc/index.js'
import { type ProcessTransactionParts, processTransaction } from './process-transaction.js'
import { type Submission, readSubmission, writeSubmission } from './submission.js'

const UNIMPLEMENTED = 12

/** As `PeerService.processTransaction`, but the server is handed the very bytes of the transaction: they are its identity. */
const processTransactionMethod: Method<Submission, Response, false> = {
  ...PeerService.processTransaction,
  requestSerialize: writeSubmission,
  requestDeserialize: readSubmission,
}

/** `protos.Peer` as it is served. */
export const peerServiceDefinition = { chat: PeerService.chat, processTransaction: processTransactionMethod }

/** The Peer service over gRPC. What goes wrong with a transaction is an answer with status FAILURE, never a gRPC error (spec/wire.md §14). */
export function peerService(parts: ProcessTransactionParts): ServiceHandlers<typeof peerServiceDefinition> {
  return {
    chat: (call) =>
      failStream(
        call,
        new PeerError('ERR_CHAT_ABSENT', 'this peer does not connect to other peers: it has no /protos.Peer/Chat', { grpcStatus: UNIMPLEMENTED }),
      ),
    processTransaction: unary(async (submission: Submission): Promise<Response> => {
      try {
        return { status: Response_StatusCode.SUCCESS, msg: await processTransaction(submission, parts) }
      } catch (error) {
        return { status: Response_StatusCode.FAILURE, msg: Buffer.from(messageOf(error)) }
      }
    }),
  }
}
