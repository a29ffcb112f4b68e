import type { PeerCommandClass } from './argv.js'
import { columns } from './output.js'

const GLOBAL_FLAGS: readonly (readonly [string, string])[] = [
  ['    --config <file>', 'configuration file of the site'],
  ['-h, --help', 'help; after a command: help for that command'],
  ['    --json', 'print one JSON object on stdout, errors as JSON on stderr'],
  ['    --logging-level <levels>', 'log levels: [<module>[,<module>...]=]<level>[:...]'],
  ['    --set <key=value>', 'override one key of the configuration; may be repeated'],
  ['-v, --version', 'version of this program'],
]

/** v0.6's one-line descriptions of command groups (spec/node.md §1). */
function describeGroup(words: readonly string[]): string {
  return `${words.join(' ')} specific commands.`
}

/** Help of bare `peer`, or of a group such as `peer node`: the commands below it. */
export function groupHelp(group: readonly string[], commands: readonly PeerCommandClass[]): string {
  const rows = new Map<string, string>()
  for (const { paths = [], usage } of commands) {
    const path = paths[0]
    if (path === undefined || usage === undefined || !group.every((word, index) => path[index] === word)) continue
    const next = path[group.length]
    if (next === undefined) continue
    const isGroup = path.length > group.length + 1
    rows.set(next, isGroup ? describeGroup([...group, next]) : (usage.description ?? '').trim())
  }
  const words = ['peer', ...group].join(' ')
  return [
    'Usage:',
    `  ${words} [command]`,
    '',
    'Available Commands:',
    ...columns([...rows].sort(([a], [b]) => (a < b ? -1 : 1))),
    '',
    'Flags:',
    ...columns(GLOBAL_FLAGS),
    '',
    `Use "${words} [command] --help" for more information about a command.`,
    '',
  ].join('\n')
}
