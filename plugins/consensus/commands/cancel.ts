import { Command } from 'clipanion'
import { Option, PeerError } from '../../../kernel/index.js'
import { callUnary, ConsensusToolsService } from '../../../proto/index.js'
import { isRpcError } from '../../grpc/index.js'
import { readSignable, signable as unsigned, signaturesOf, signedWith, type SignableCall, writeSignable } from './operator-keys.js'
import { SuccessionCommand, TOO_LATE } from './succession-command.js'

const ANSWER_MS = 10_000
/** Of gRPC: there is nothing to cancel. */
const FAILED_PRECONDITION = 9

/** `peer consensus cancel`: calls a swap off that is not decided yet. */
export class CancelCommand extends SuccessionCommand {
  static override paths = [['consensus', 'cancel']]
  static override usage = Command.Usage({
    category: 'consensus specific commands.',
    description: 'Cancels the swap that is under way, if it is not decided yet.',
    details: 'Whatever the running engine orders first holds: the last validator that is ready, or this. Exit code 1 if there is nothing to cancel any more.',
    examples: [
      ['Cancel', 'peer consensus cancel'],
      ['Where operators have to sign', 'peer consensus cancel --key operator.pem'],
    ],
  })

  keys = Option.Array('--key', [], { description: 'Ed25519 private key (PEM) of an operator who signs; may be repeated' })
  out = Option.String('--out', { description: 'write what is to be signed to a file, for peer consensus sign, and change nothing' })
  planFile = Option.String('--plan', { description: 'carry out what was written with --out' })

  protected async run(): Promise<number> {
    let signable = this.planFile === undefined ? await this.asked() : readSignable(this.planFile)
    if (signable.call !== 'cancel') throw new PeerError('ERR_SWAP_FILE', `${this.planFile}: expected a cancellation; found a '${signable.call}'`)
    for (const key of this.keys) signable = signedWith(signable, key)
    if (this.out !== undefined) {
      writeSignable(this.out, signable)
      this.report({ file: this.out, about: signable.about }, `written to ${this.out}: ${signable.about}\n`)
      return 0
    }
    const block = await this.cancel(signable.argument, signaturesOf(signable))
    this.report({ cancelledIn: block }, `cancelled in block ${block}\n`)
    return 0
  }

  private async asked(): Promise<SignableCall> {
    const client = await this.tools()
    try {
      const { cancellation } = await callUnary(client, ConsensusToolsService.planCancel, {}, { deadline: Date.now() + ANSWER_MS })
      return unsigned('cancel', cancellation)
    } catch (error) {
      if (!isRpcError(error) || error.code !== FAILED_PRECONDITION) throw error
      const { record } = await this.succession()
      if (!record || record.epoch === 0n) throw new PeerError('ERR_SWAP_NONE', error.details, { cause: error })
      const { epoch, engine, version, activation } = record
      throw new PeerError('ERR_SWAP_NONE', `${error.details}: ${engine} ${version} of epoch ${epoch} has the blocks after ${activation}`, {
        cause: error,
        hint: TOO_LATE,
      })
    }
  }
}
