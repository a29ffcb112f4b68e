import { resolve } from 'node:path'
import { Client, status } from '@grpc/grpc-js'
import { type ErrorCode, PeerError, messageOf, peerKeys } from '../../../kernel/index.js'
import { type Method, callUnary } from '../../../proto/index.js'
import { GrpcCommand } from '../../grpc/index.js'
import type { OpenLedger } from '../inspectable-ledger.js'
import { ledgerKeys } from '../keys.js'
import { isLocked, isMissing, withOfflineLedger } from './offline.js'

const ANSWER_MS = 30_000

const REFUSALS = new Map<unknown, ErrorCode>([
  [status.NOT_FOUND, 'ERR_LEDGER_NOT_FOUND'],
  [status.PERMISSION_DENIED, 'ERR_LEDGER_REMOTE'],
])

/** Base of the commands that look something up: in the store of the site, or, if a peer runs on it or there is none here, through the peer at `peer.address`. */
export abstract class LedgerReadCommand extends GrpcCommand {
  #client: Client | undefined

  protected async lookUp<Query, Found>(
    method: Method<Query, Found, false>,
    local: (ledger: OpenLedger, query: Query) => Promise<Found>,
    query: Query,
  ): Promise<Found> {
    if (this.#client) return this.call(method, query)
    const settings = await this.settings({ ...ledgerKeys, ...peerKeys })
    try {
      return await withOfflineLedger(settings, (ledger) => local(ledger, query), { inspect: true })
    } catch (thrown) {
      if (!isLocked(thrown) && !isMissing(thrown)) throw thrown
      await this.connect(thrown, resolve(settings['peer.fileSystemPath']))
      return this.call(method, query)
    }
  }

  /** What the peer refuses is told as it is where the store is read without a peer. */
  protected override failure(error: unknown): unknown {
    if (!(error instanceof Error) || !('code' in error) || !('details' in error) || typeof error.details !== 'string') return super.failure(error)
    const code = REFUSALS.get(error.code)
    return code === undefined ? super.failure(error) : new PeerError(code, error.details, { cause: error })
  }

  private call<Query, Found>(method: Method<Query, Found, false>, query: Query): Promise<Found> {
    if (!this.#client) throw new PeerError('ERR_LEDGER_COMMAND', 'expected a connection to a peer')
    return callUnary(this.#client, method, query, { deadline: Date.now() + ANSWER_MS })
  }

  private async connect(offline: unknown, directory: string): Promise<void> {
    try {
      this.#client = await this.dial(Client)
    } catch (cause) {
      if (!isMissing(offline)) throw cause
      const { 'peer.address': address } = await this.settings(peerKeys)
      throw new PeerError('ERR_LEDGER_MISSING', `expected a ledger in ${directory}, or a peer at ${address}; found neither: ${messageOf(cause)}`, {
        cause,
        hint: 'set peer.fileSystemPath to the directory of a peer that has run, or peer.address to where one runs',
      })
    }
  }
}
