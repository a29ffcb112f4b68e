import { join } from 'node:path'
import { Client } from '@grpc/grpc-js'
import { Command, Option } from 'clipanion'
import { PeerError, messageOf, peerKeys } from '../../../kernel/index.js'
import { AdminService, ServerStatus_StatusCode, callUnary } from '../../../proto/index.js'
import { GrpcCommand, dialFailure, rpcErrorText, rpcFacts, USAGE_AFTER_CALLS } from '../../grpc/index.js'
import { hasGone, pidIn } from './gone.js'

/** `peer node stop`: over the network, else by the pid file (spec/node.md §1). */
export class StopCommand extends GrpcCommand {
  static override paths = [['node', 'stop']]
  static override usage = Command.Usage({
    category: 'node specific commands.',
    description: 'Stop the running node.',
    details:
      'Asks the peer at `peer.address` to stop. If it cannot be reached, sends SIGTERM to the process named in the pid file. Returns when the peer has ended (10 s at most).',
    examples: [
      ['Stop the local peer', 'peer node stop'],
      ['Stop the peer whose pid file is elsewhere', 'peer node stop --stop-peer-pid-file /var/lib/weft'],
    ],
  })

  pidDirectory = Option.String('--stop-peer-pid-file', { description: 'directory of peer.pid (default: peer.fileSystemPath)' })

  protected override readonly usageAfter = USAGE_AFTER_CALLS

  protected async run(): Promise<number> {
    const settings = await this.settings(peerKeys)
    // Read before the peer removes it.
    const file = join(this.pidDirectory ?? settings['peer.fileSystemPath'], 'peer.pid')
    const pid = pidIn(file)
    const address = settings['peer.address'].replace(/^:/, '127.0.0.1:')
    let client: Client
    try {
      client = await this.dial(Client)
    } catch (error) {
      const { message, hint } = dialFailure('', error)
      this.warn(hint === undefined ? message : `${message}\n  ${hint}`)
      return this.stopByPidFile(file, pid, address)
    }
    try {
      const { status } = await callUnary(client, AdminService.stopServer, {}, { deadline: Date.now() + 10_000 })
      const word = ServerStatus_StatusCode[status] ?? String(status)
      if (status === ServerStatus_StatusCode.STOPPED) await this.stopped(address, pid, {})
      else this.report({ status: word }, `status:${word} \n`)
    } catch (error) {
      // An original peer exits before it answers: a broken call then means that it stopped.
      if (!isTransportEnd(error)) throw new PeerError('ERR_RPC', `Error trying to stop local peer: ${rpcErrorText(error)}`, rpcFacts(error))
      await this.stopped(address, pid, {})
    }
    return 0
  }

  private async stopByPidFile(file: string, pid: number | undefined, address: string): Promise<number> {
    try {
      if (pid === undefined) throw new PeerError('ERR_PID_FILE', `${file} holds no process id`)
      process.kill(pid, 'SIGTERM')
    } catch (error) {
      // v0.6 exits 0 here too: nothing runs, so it is stopped.
      this.warn(`no peer was stopped: ${messageOf(error)}`)
      this.report({ status: 'UNKNOWN' }, `status:UNKNOWN \n`)
      return 0
    }
    await this.stopped(address, pid, { pid })
    return 0
  }

  /** Prints once the peer has really ended, so that the next command can start one. */
  private async stopped(address: string, pid: number | undefined, more: Readonly<Record<string, unknown>>): Promise<void> {
    const gone = await hasGone(address, pid)
    if (!gone) this.warn(`the peer was told to stop, but 10 s later ${pid === undefined ? address : `${address}, or process ${pid},`} is still there`)
    this.report({ status: 'STOPPED', ...more }, `status:STOPPED \n`)
  }
}

function isTransportEnd(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return code === 13 || code === 14 || code === 1
}
