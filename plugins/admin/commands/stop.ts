import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from '@grpc/grpc-js'
import { Command, Option } from 'clipanion'
import { PeerError, messageOf, peerKeys } from '../../../kernel/index.js'
import { AdminService, ServerStatus_StatusCode, callUnary } from '../../../proto/index.js'
import { GrpcCommand } from '../../grpc/index.js'

/** `peer node stop`: over the network, else by the pid file (spec/node.md §1). */
export class StopCommand extends GrpcCommand {
  static override paths = [['node', 'stop']]
  static override usage = Command.Usage({
    category: 'node specific commands.',
    description: 'Stop the running node.',
    details: 'Asks the peer at `peer.address` to stop. If it cannot be reached, sends SIGTERM to the process named in the pid file.',
    examples: [
      ['Stop the local peer', 'peer node stop'],
      ['Stop the peer whose pid file is elsewhere', 'peer node stop --stop-peer-pid-file /var/lib/weft'],
    ],
  })

  pidDirectory = Option.String('--stop-peer-pid-file', { description: 'directory of peer.pid (default: peer.fileSystemPath)' })

  protected async run(): Promise<number> {
    let client: Client
    try {
      client = await this.dial(Client)
    } catch (error) {
      this.warn(`Error trying to connect to local peer: ${messageOf(error)}`)
      return this.stopByPidFile()
    }
    try {
      const { status } = await callUnary(client, AdminService.stopServer, {}, { deadline: Date.now() + 10_000 })
      this.print(ServerStatus_StatusCode[status] ?? String(status))
    } catch (error) {
      // An original peer exits before it answers: a broken call then means that it stopped.
      if (!isTransportEnd(error)) throw error
      this.print('STOPPED')
    }
    return 0
  }

  private async stopByPidFile(): Promise<number> {
    const directory = this.pidDirectory ?? (await this.settings(peerKeys))['peer.fileSystemPath']
    const file = join(directory, 'peer.pid')
    let pid: number
    try {
      pid = Number.parseInt(await readFile(file, 'utf8'), 10)
      if (!Number.isSafeInteger(pid) || pid <= 1) throw new PeerError('ERR_PID_FILE', `${file} holds no process id`)
      process.kill(pid, 'SIGTERM')
    } catch (error) {
      // v0.6 exits 0 here too: nothing runs, so it is stopped.
      this.warn(`no peer was stopped: ${messageOf(error)}`)
      this.print('UNKNOWN')
      return 0
    }
    this.report({ status: 'STOPPED', pid }, `status:STOPPED \n`)
    return 0
  }

  private print(status: string): void {
    this.report({ status }, `status:${status} \n`)
  }
}

function isTransportEnd(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return code === 13 || code === 14 || code === 1
}
