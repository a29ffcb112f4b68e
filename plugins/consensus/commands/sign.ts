import { Command } from 'clipanion'
import { Option, PeerCommand, PeerError } from '../../../kernel/index.js'
import { hex } from '../../../proto/index.js'
import { consensusKeys } from '../keys.js'
import { readSignable, signaturesIn, signedWith, writeSignable } from './operator-keys.js'

/** `peer consensus sign`: an operator's signature for a file of `swap --out`. Needs no peer. */
export class SignCommand extends PeerCommand {
  static override readonly needsSite = false
  static override paths = [['consensus', 'sign']]
  static override usage = Command.Usage({
    category: 'consensus specific commands.',
    description: "Adds an operator's signature to a proposal or a cancellation.",
    details:
      'Shows what is signed. Needs no running peer, so that keys can be kept elsewhere. Where the site found here names the operators (consensus.operators.keys), warns of a key that is none of theirs.',
    examples: [['Sign', 'peer consensus sign swap.json --key operator.pem']],
  })

  file = Option.String({ required: true, name: 'file' })
  keys = Option.Array('--key', [], { description: 'Ed25519 private key (PEM) of the operator who signs; may be repeated' })

  protected async run(): Promise<void> {
    if (this.keys.length === 0) {
      throw new PeerError('ERR_OPERATOR_KEY', 'expected --key FILE, the Ed25519 private key (PEM) of the operator who signs; found none', {
        hint: 'make one with: openssl genpkey -algorithm ed25519 -out operator.pem',
      })
    }
    let signable = readSignable(this.file)
    const operators = await this.operators()
    for (const file of this.keys) {
      signable = signedWith(signable, file)
      const key = hex(signable.signatures.at(-1)?.key ?? new Uint8Array(0))
      if (operators.length === 0 || operators.includes(key)) continue
      this.warn(
        `${file}: its public key ${key} is none of consensus.operators.keys of the site here; where these are the operators, this signature does not count`,
      )
    }
    writeSignable(this.file, signable)
    const { about, signatures } = signable
    this.report({ file: this.file, about, signatures: signatures.length }, `signed: ${about}; ${signaturesIn(signatures)}\n`)
  }

  /** As the site here says; none where there is none that can be read: this command works without. */
  private async operators(): Promise<readonly string[]> {
    try {
      return (await this.settings(consensusKeys))['consensus.operators.keys'].map((key) => key.toLowerCase())
    } catch (error) {
      if (error instanceof PeerError) return []
      throw error
    }
  }
}
