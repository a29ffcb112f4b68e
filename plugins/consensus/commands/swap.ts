import { Command } from 'clipanion'
import { duration, Option, PeerError } from '../../../kernel/index.js'
import { decode, PlanSwapRequest, type SuccessionReport, type SwapPlanMessage, type SwapPlanRow, SwapProposal } from '../../../proto/index.js'
import { readSignable, signable as unsigned, signaturesIn, signaturesOf, signedWith, type SignableCall, writeSignable } from './operator-keys.js'
import { candidateId } from '../swap/contract.js'
import { planLines } from './plan-table.js'
import { epochJson, namedEngine, SuccessionCommand } from './succession-command.js'

/** Answers that take longer are worth a word. */
const SLOW_MS = 3000

/** Who waits longer for a decision has forgotten it. */
const MOST_DEADLINE_MS = 24 * 3_600_000

const WAYS_ON =
  'peer consensus status shows how far it is, peer consensus cancel calls it off until it is decided, peer consensus history says which engine orders'

/** What `swap` and `set` have in common: a plan, its signatures, and the way until it has happened. */
export abstract class ProposingCommand extends SuccessionCommand {
  absent = Option.Array('--absent', [], { description: 'id of a validator that is known to be down; may be repeated' })
  allowWeaker = Option.Boolean('--allow-weaker', false, { description: 'allow an engine that tolerates fewer faulty validators' })
  deadline = Option.String('--deadline', { description: 'time in which it has to be decided, such as 30s (the default)' })
  dryRun = Option.Boolean('--dry-run', false, { description: 'ask every validator, show the answers, and change nothing' })
  keys = Option.Array('--key', [], { description: 'Ed25519 private key (PEM) of an operator who signs; may be repeated' })
  out = Option.String('--out', { description: 'write the proposal to a file, to be signed with peer consensus sign, and change nothing' })
  noWait = Option.Boolean('--no-wait', false, { description: 'return as soon as the swap is prepared' })

  protected async planned(request: Partial<PlanSwapRequest>): Promise<number> {
    const asked = PlanSwapRequest.fromPartial({ ...request, allowWeaker: this.allowWeaker, deadlineMs: this.deadlineMs() })
    const plan = await this.patiently(this.plan(asked))
    const proposal = decode(SwapProposal, plan.proposal)
    const found = this.problemOf(plan, `${proposal.engine}@${proposal.version}`)
    const problem = found?.code === 'ERR_SWAP_TOO_FEW' && !this.dryRun && (await this.isHaltedHere()) ? undefined : found
    if (this.dryRun || problem !== undefined) {
      const { code, message } = problem ?? {}
      const shown = { ...plan, proposal: { ...proposal, options: JSON.parse(proposal.options) }, problem: problem && { code, message, hint: problem.hint } }
      this.report(shown, `${planLines(plan, proposal).join('\n')}\n`)
      if (problem === undefined) return 0
      throw problem
    }
    if (!this.json) this.context.stderr.write(`${planLines(plan, proposal).join('\n')}\n`)
    let signable = unsigned('prepare', plan.proposal)
    for (const key of this.keys) signable = signedWith(signable, key)
    if (this.out === undefined) return this.carryOut(signable)
    writeSignable(this.out, signable)
    const { about, signatures } = signable
    this.report({ file: this.out, about, signatures: signatures.length }, `written to ${this.out}: ${about}; ${signaturesIn(signatures)}\n`)
    return 0
  }

  /** Then to propose it fails, and says so with the ways out. */
  private async isHaltedHere(): Promise<boolean> {
    return (await this.succession()).halted !== ''
  }

  /** Says who is waited for, if that takes long. */
  private async patiently(planning: Promise<SwapPlanMessage>): Promise<SwapPlanMessage> {
    let isOver = false
    const tell = async (): Promise<void> => {
      // Who cannot say it fails in the call that is waited for, too.
      const { awaited } = await this.succession().catch((): Pick<SuccessionReport, 'awaited'> => ({ awaited: [] }))
      const who = awaited.length === 0 ? 'a validator has' : `${awaited.join(', ')} ${awaited.length === 1 ? 'has' : 'have'}`
      if (!isOver) this.warn(`${who} not answered yet; an engine may have to be loaded, which is waited for 20 s`)
    }
    const slow = setTimeout(() => void tell(), SLOW_MS)
    return planning.finally(() => {
      isOver = true
      clearTimeout(slow)
    })
  }

  protected async carryOut(signable: SignableCall): Promise<number> {
    const { fromEpoch } = decode(SwapProposal, signable.argument)
    const begun = Date.now()
    const block = await this.untilInterrupted(
      this.propose(signable.argument, signaturesOf(signable)),
      'the swap was proposed, and may be ordered and carried out without this command',
      WAYS_ON,
    )
    if (this.noWait) {
      this.report({ preparedIn: block }, `prepared in block ${block}\n`)
      return 0
    }
    const following = this.follow({ fromEpoch, candidate: candidateId(signable.argument) }, (line) => {
      if (!this.json) this.context.stderr.write(`${line}\n`)
    })
    const { record, crossed } = await this.untilInterrupted(following, 'the swap goes on without this command', WAYS_ON)
    if (!record) throw new PeerError('ERR_SWAP_UNKNOWN', 'the validator does not say which epoch it is in')
    const tookMs = Date.now() - begun
    this.report(
      { ...epochJson(record), crossed: crossed.map((member) => record.members[member]), tookMs },
      `epoch ${record.epoch}: ${record.engine} ${record.version} orders since block ${record.activation + 1n}\n`,
    )
    return 0
  }

  /** Why a plan is not carried out; undefined: nothing speaks against it. */
  private problemOf({ rows, objection, needed, unchanged }: SwapPlanMessage, engine: string): PeerError | undefined {
    const strangers = this.absent.filter((named) => !rows.some(({ id }) => id === named))
    if (strangers.length > 0) {
      const members = rows.map(({ id }) => id).join(', ')
      return new PeerError('ERR_SWAP_ABSENT', `--absent: expected the id of a validator (${members}); found ${strangers.join(', ')}`)
    }
    const silent = rows.filter(({ answered }) => !answered).map(({ id }) => id)
    const unnamed = silent.filter((id) => !this.absent.includes(id))
    const willing = rows.filter(({ answered, refusal, halted }) => answered && refusal === '' && halted === '').length
    if (objection !== '') {
      const lacking = rows.filter((row) => row.answered && row.engine === '' && row.refusal !== '').map(({ id }) => id)
      return new PeerError('ERR_SWAP_REFUSED', `the swap is refused: ${objection}`, lacking.length === 0 ? {} : { hint: wayIn(lacking, engine) })
    }
    if (unchanged) {
      return new PeerError('ERR_SWAP_UNCHANGED', `the swap is refused: ${engine} runs already, with these options: nothing would change`, {
        hint: 'peer consensus restart-engine begins the engine of one validator anew, without a swap',
      })
    }
    if (unnamed.length > 0) {
      return new PeerError('ERR_SWAP_SILENT', `no answer from ${unnamed.join(', ')}`, {
        hint: `start them, or name those that are meant to be down: ${unnamed.map((id) => `--absent ${id}`).join(' ')}`,
      })
    }
    return willing < needed ? tooFew(rows, needed, willing) : undefined
  }

  private deadlineMs(): number {
    if (this.deadline === undefined) return 0
    const read = duration().safeParse(this.deadline)
    if (read.success && read.data >= 1 && read.data <= MOST_DEADLINE_MS) return Math.round(read.data)
    throw new PeerError(
      'ERR_SWAP_DEADLINE',
      `--deadline: expected a duration with a unit, from 1ms to ${MOST_DEADLINE_MS / 3_600_000}h, such as 30s; found '${this.deadline}'`,
    )
  }
}

/** Why nothing could be decided, and the way out. `willing`: how many would take part. */
export function tooFew(rows: readonly Pick<SwapPlanRow, 'id' | 'halted'>[], needed: number, willing: number): PeerError {
  const halted = rows.filter((row) => row.halted !== '').map(({ id, halted: reason }) => `${id} orders nothing: ${reason}`)
  const message = [`a swap needs ${needed} validators that take part; found ${willing}`, ...halted].join('; ')
  const broken = 'peer consensus status there says what to do: restart-engine, or recover on every validator (docs/guides/runbook.md)'
  const away = 'start those that are absent; without one that is gone for good: peer consensus recover … --accept-loss (docs/guides/runbook.md)'
  return new PeerError('ERR_SWAP_TOO_FEW', message, { hint: halted.length === 0 ? away : broken })
}

/** What to do about validators that are up and lack an engine. */
function wayIn(lacking: readonly string[], engine: string): string {
  const absent = lacking.map((id) => `--absent ${id}`).join(' ')
  return `every validator that is up has to have it: install ${engine} on ${lacking.join(', ')}, or stop ${lacking.length === 1 ? 'it' : 'them'} and pass ${absent}`
}

/** `peer consensus swap`: another engine on all validators, at one height. */
export class SwapCommand extends ProposingCommand {
  static override paths = [['consensus', 'swap']]
  static override usage = Command.Usage({
    category: 'consensus specific commands.',
    description: 'Changes the consensus engine of all validators at one agreed height.',
    details:
      'Asks every validator first; has the swap ordered by the running engine; shows each validator as it crosses. Commits never stop: the new engine is tried beside the old one, and if too few validators can run it in time, nothing has happened. To be run on the machine of a validator. Exit code 1 if it is refused or cancelled.',
    examples: [
      ['To raft', 'peer consensus swap raft'],
      ['Would it work?', 'peer consensus swap raft --dry-run'],
      ['To a version, with options', `peer consensus swap pbft@1.1.0 --options '{"batchsize":1000}'`],
      ['While vp3 is down', 'peer consensus swap raft --absent vp3'],
      ['Signed by operators, one after the other', 'peer consensus swap raft --out swap.json'],
      ['  and carried out with their signatures', 'peer consensus swap --plan swap.json'],
    ],
  })

  engine = Option.String({ required: false, name: 'engine[@version]' })
  options = Option.String('--options', { description: 'options of the engine as a JSON object (default: what the site says)' })
  planFile = Option.String('--plan', { description: 'carry out a proposal that was written with --out' })

  protected async run(): Promise<number> {
    const { planFile } = this
    if (planFile !== undefined) {
      const idle = this.besidePlan()
      if (idle !== undefined) throw new PeerError('ERR_USAGE', `--plan carries out a proposal just as it was written; found ${idle} beside it`)
      let signable = readSignable(planFile)
      if (signable.call !== 'prepare') throw new PeerError('ERR_SWAP_FILE', `${planFile}: expected a swap; found a '${signable.call}'`)
      for (const key of this.keys) signable = signedWith(signable, key)
      return this.carryOut(signable)
    }
    if (this.engine === undefined) {
      throw new PeerError('ERR_SWAP_ENGINE', 'expected the name of an engine, such as raft or pbft@1.1.0, or --plan FILE; found neither', {
        hint: 'peer engine list shows those of this peer',
      })
    }
    const { engine, version } = namedEngine(this.engine)
    return this.planned({ engine, version, options: this.options ?? '' })
  }

  /** What says how a proposal is to be made, or that none is to be made, which a file cannot heed any more. */
  private besidePlan(): string | undefined {
    const said: Readonly<Record<string, boolean>> = {
      [`the engine '${this.engine}'`]: this.engine !== undefined,
      '--options': this.options !== undefined,
      '--dry-run': this.dryRun,
      '--out': this.out !== undefined,
      '--absent': this.absent.length > 0,
      '--allow-weaker': this.allowWeaker,
      '--deadline': this.deadline !== undefined,
    }
    return Object.keys(said).find((name) => said[name])
  }
}
