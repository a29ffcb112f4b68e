import { columns, HELP_WIDTH, nearest, Option, PeerCommand, PeerError, usageText, wrapped } from '../../../kernel/index.js'

const GLOBAL_FLAGS: readonly (readonly [string, string])[] = [
  ['    --config <file>', 'configuration file of the site'],
  ['-h, --help', 'help; after a command: help for that command'],
  ['    --json', 'print one JSON object on stdout, errors as JSON on stderr'],
  ['    --logging-level <levels>', 'log levels: [<module>[,<module>...]=]<level>[:...]'],
  ['    --set <key=value>', 'override one key of the configuration; may be repeated'],
  ['-v, --version', 'version of this program'],
]

/** v0.6 answers an unknown word below these with their help, and exit code 0. */
const GROUPS_OF_V06: ReadonlySet<string> = new Set(['chaincode', 'network', 'node'])

/** `peer help`, also as `peer`, `peer <command> --help` and `peer <group>` (spec/node.md §1). */
export class HelpCommand extends PeerCommand {
  static override readonly needsSite = false
  static override paths = [['help']]
  static override usage = PeerCommand.Usage({
    description: 'Help about any command.',
    examples: [['How a peer is started', '$0 help node start']],
  })

  arguments = Option.Proxy()

  protected async run(): Promise<void> {
    this.json = this.arguments.includes('--json')
    const words = this.arguments.filter((word) => !word.startsWith('-'))
    const definitions = new Map(this.cli.definitions().map((definition) => [definition.path, definition]))
    for (let length = words.length; length > 0; length--) {
      const definition = definitions.get(['peer', ...words.slice(0, length)].join(' '))
      if (definition === undefined) continue
      const { plugins } = await this.context.defaultSite()
      const startFlags = plugins.flatMap((plugin) => Object.entries(plugin.startFlags ?? {})).map(([name, { description }]) => [name, description] as const)
      const usage = usageText(definition, definition.path === 'peer node start' ? startFlags : [])
      return this.print([...paragraphs(definition.description), ...paragraphs(definition.details), usage].join('\n'))
    }
    this.print(groupHelp(words, definitions))
  }

  private print(help: string): void {
    this.report({ help }, help)
  }
}

/** Each wrapped, an empty line after it. */
function paragraphs(text = ''): string[] {
  return text.split('\n\n').flatMap((paragraph) => (paragraph.trim() === '' ? [] : [...wrapped(paragraph.replace(/\s+/g, ' ')), '']))
}

/** Help of bare `peer`, or of a group such as `peer node`: the commands below it. */
function groupHelp(words: readonly string[], definitions: ReadonlyMap<string, { readonly description?: string }>): string {
  const isGroup = (group: readonly string[]): boolean => [...definitions.keys()].some((path) => path.startsWith(`${['peer', ...group].join(' ')} `))
  const [first = ''] = words
  if (!isGroup(words.slice(0, 1))) throw new PeerError('ERR_COMMAND_UNKNOWN', `unknown command "${first}" for "peer"`, { hint: `run 'peer --help' for usage` })
  const group = ['peer', ...words.slice(0, 1)].join(' ')
  const [, below] = words
  const rows = new Map<string, string>()
  for (const [path, { description = '' }] of definitions) {
    const [next, ...more] = path.startsWith(`${group} `) ? path.slice(group.length + 1).split(' ') : []
    if (next !== undefined) rows.set(next, more.length > 0 ? `${[...words.slice(0, 1), next].join(' ')} specific commands.` : description.trim())
  }
  if (below !== undefined && !GROUPS_OF_V06.has(first) && !isGroup(words.slice(0, 2))) {
    const near = nearest(below, rows.keys())
    throw new PeerError('ERR_COMMAND_UNKNOWN', `unknown command "${below}" for "${group}"`, {
      hint: `${near === undefined ? '' : `did you mean ${group} ${near}? Else `}run '${group} --help' for usage`,
    })
  }
  const list = columns(
    [...rows].sort(([a], [b]) => (a < b ? -1 : 1)),
    HELP_WIDTH,
  )
  const hint = `Use "${group} [command] --help" for more information about a command.\n`
  return ['Usage:', `  ${group} [command]`, '', 'Available Commands:', ...list, '', 'Flags:', ...columns(GLOBAL_FLAGS, HELP_WIDTH), '', hint].join('\n')
}
