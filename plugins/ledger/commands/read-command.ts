import { resolve } from 'node:path'
import { Client } from '@grpc/grpc-js'
import { PeerError, messageOf, peerKeys } from '../../../kernel/index.js'
import { type Method, callUnary } from '../../../proto/index.js'
import { GrpcCommand } from '../../grpc/index.js'
import type { OpenLedger } from '../inspectable-ledger.js'
import { ledgerKeys } from '../keys.js'
import { isLocked, isMissing, withOfflineLedger } from './offline.js'

const ANSWER_MS = 30_000

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
