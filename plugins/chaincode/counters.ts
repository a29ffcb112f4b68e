import { Durations } from '../level/index.js'

/** Calls of one kind, with those that chaincodes make of each other. */
export class CallCounters {
  succeeded = 0
  /** The chaincode said no. */
  failed = 0
  /** The chaincode went away, or broke the protocol. */
  broken = 0
  /** It took longer than `chaincode.executetimeout`. */
  timedOut = 0
  readonly durations = new Durations()
}

/** What chaincode has done since the start of the peer. Plain numbers; read by whoever watches the peer. */
export class ChaincodeCounters {
  readonly invoke = new CallCounters()
  readonly query = new CallCounters()
  /** Chaincodes that the peer started, at their deploy or anew. */
  launches = 0
  failedLaunches = 0
  /** Transactions that were executed once more after a fault of this machine. */
  retries = 0
}
