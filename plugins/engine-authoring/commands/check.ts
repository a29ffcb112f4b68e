import { Option, PeerCommand } from '../../../kernel/index.js'
import { interruptible, Interruption, wholeNumber, writtenJson, wrong } from '../../terminal/index.js'
import { type CheckEvent, exitCodeOf, PARTS, type Part } from '../card.js'

/** `peer engine check` */
export class EngineCheckCommand extends PeerCommand {
  static override readonly needsSite = false
  static override paths = [['engine', 'check']]
  static override usage = PeerCommand.Usage({
    category: 'Consensus engines',
    description: "Check everything that the contract of engines asks, and print an engine's report card.",
    details:
      'Looks at the package (exports, types, peer dependency, version, scripts, imports, size) and at what the engine promises; runs the conformance suite; records runs and plays them again while clocks, randomness, timers, promises and global variables are watched; sends it hostile bytes; looks at what it keeps when its chain gets longer; creates and disposes of a thousand instances. The checks run in a process of their own, which an engine that never ends cannot outlive. The package has to be built; `weft` in it is the running program. Exit codes: 0 nothing failed (there may be something to look at), 3 safety, 4 liveness, 5 contract, 6 the package, 7 the engine did not end or ended its process, 1 anything else.',
    examples: [
      ['The package here', '$0 engine check .'],
      ['More seeds, other numbers of validators, with options', `$0 engine check ./my-engine --seeds 200 --members 4,10 --options '{"batchSize":10}'`],
      ['With short time-outs and with long ones', `$0 engine check . --options '{"electionMs":200}' --options '{"electionMs":2000}'`],
      ['A report card for its README', '$0 engine check . --markdown > card.md'],
      ['Two of the parts, of an engine in one file', '$0 engine check ./my-engine.ts --only determinism,dispose'],
    ],
  })

  engine = Option.String({ required: false })
  seeds = Option.String('--seeds', '20', { description: 'seeds of each test of the conformance suite (default 20)' })
  members = Option.String('--members', { description: 'numbers of validators to test, with commas between them (default: as it promises)' })
  options = Option.Array('--options', [], {
    description: "the engine's options, as JSON; of several the suite plays each in turn: short and long time-outs bring different faults to light",
  })
  only = Option.String('--only', { description: `some of ${PARTS.join(', ')}` })
  out = Option.String('--out', { description: 'directory for failing scenarios and their diagrams' })
  limit = Option.String('--limit', '600', { description: 'seconds that one check may take (default 600)' })
  markdown = Option.Boolean('--markdown', false, { description: 'print the report card for a README' })
  lines = Option.Boolean('--lines', false, { hidden: true })

  private readonly interruption = new Interruption()

  override execute(): Promise<number> {
    return interruptible(this.interruption, () => super.execute())
  }

  protected async run(): Promise<number> {
    const limitMs = 1000 * wholeNumber('--limit', this.limit, 1, 86_400)
    const asked = {
      reference: this.engine ?? '.',
      cwd: this.context.cwd,
      options: this.options[0] === undefined ? undefined : writtenJson('--options', this.options[0]),
      variants: this.options.slice(1).map((text) => writtenJson('--options', text)),
      seeds: wholeNumber('--seeds', this.seeds, 1, 1_000_000),
      members: this.members?.split(',').map((word) => wholeNumber('--members', word, 1, 100)),
      parts: this.parts(),
      directory: this.out,
    }
    if (this.lines) {
      const { runChecks } = await import('../run-checks.js')
      await runChecks(asked, (event) => this.context.stdout.write(`${JSON.stringify(event)}\n`))
      return 0
    }
    const [{ checkElsewhere }, { findEngineCode }, { cardText, cardMarkdown, progressLine }] = await Promise.all([
      import('../checker.js'),
      import('../engine-package.js'),
      import('../card-text.js'),
    ])
    findEngineCode(asked.reference, asked.cwd)
    let total = 0
    let done = 0
    const onEvent = (event: CheckEvent): void => {
      if (event.type === 'subject') total = event.total
      if (event.type === 'finding') done += 1
      if (event.type === 'begin') this.showProgress(() => progressLine(done, total, `${event.part}: ${event.name}`))
    }
    const { cwd, env } = this.context
    const { signal } = this.interruption
    const checked = checkElsewhere({ args: this.elsewhere(), cwd, env, limitMs, onEvent, signal })
    const card = await checked.finally(() => this.showProgress(() => '\r\u001b[K'))
    const exitCode = exitCodeOf(card.findings)
    this.report({ ...card.subject, exitCode, findings: card.findings }, this.markdown ? cardMarkdown(card) : cardText(card))
    return exitCode
  }

  /** This command once more, telling line by line. */
  private elsewhere(): string[] {
    const [program = ''] = process.argv.slice(1)
    const flag = (name: string, value: string | undefined): string[] => (value === undefined ? [] : [name, value])
    return [
      program,
      'engine',
      'check',
      ...flag('--seeds', this.seeds),
      ...flag('--members', this.members),
      ...this.options.flatMap((text) => flag('--options', text)),
      ...flag('--only', this.only),
      ...flag('--out', this.out),
      '--lines',
      '--',
      this.engine ?? '.',
    ]
  }

  private parts(): readonly Part[] {
    if (this.only === undefined) return PARTS
    return this.only.split(',').map((word) => {
      const part = PARTS.find((known) => known === word)
      if (part === undefined) throw wrong('--only', `some of ${PARTS.join(', ')}`, word)
      return part
    })
  }

  private showProgress(line: () => string): void {
    if ('isTTY' in this.context.stderr && this.context.stderr.isTTY === true && !this.json) this.context.stderr.write(line())
  }
}
