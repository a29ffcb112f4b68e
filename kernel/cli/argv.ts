import type { CommandClass } from 'clipanion'
import type { PeerContext } from './command.js'

export type PeerCommandClass = CommandClass<PeerContext>

const TAKES_VALUE = ['--config', '--set', '--logging-level']
const GLOBAL_FLAGS = [...TAKES_VALUE, '--json', '-h', '--help']
const VERSION = ['-v', '--version']
const COVERAGE = '--test.coverprofile'

/** A command line, taken apart as far as it can be without knowing the commands. */
export interface CommandLine {
  /** Words and flags from the first word on: the command, its flags and arguments. */
  readonly words: readonly string[]
  /** Global flags that stood before the command, with their values. */
  readonly leading: readonly string[]
  /** The first of them that is no global flag, if there are no words. */
  readonly unknownFlag: string | undefined
  readonly json: boolean
  /** The value of `--config`, wherever it stands. */
  readonly config: string | undefined
}

/** Takes a command line apart; `-v` alone is `version`, nothing is `help`, as is `--help` anywhere. `--test.coverprofile`, for coverage builds of v0.6, is dropped (spec/node.md §1). */
export function parseArgv(argv: readonly string[]): CommandLine {
  const tokens = argv.filter((token, index) => token.split('=', 1)[0] !== COVERAGE && argv[index - 1] !== COVERAGE)
  let at = 0
  while (tokens[at]?.startsWith('-') === true) at += TAKES_VALUE.includes(tokens[at] ?? '') && at + 1 < tokens.length ? 2 : 1
  const leading = tokens.slice(0, at).filter((flag) => !VERSION.includes(flag))
  const given = tokens.slice(at)
  const isVersion = given.length === 0 && leading.length < at
  const end = tokens.indexOf('--')
  const flags = end < 0 ? tokens : tokens.slice(0, end)
  const config = flags.findLastIndex((flag) => flag.split('=', 1)[0] === '--config')
  const isHelp = flags.includes('-h') || flags.includes('--help') || (given.length === 0 && !isVersion)
  const unknown = leading.find((flag) => flag.startsWith('-') && !GLOBAL_FLAGS.includes(flag.split('=', 1)[0] ?? flag))
  return {
    words: isHelp ? ['help', ...given] : isVersion ? ['version'] : given,
    leading: isHelp ? [] : leading,
    unknownFlag: given.length === 0 ? unknown : undefined,
    json: flags.includes('--json'),
    config: flags[config] === '--config' ? flags[config + 1] : flags[config]?.slice('--config='.length),
  }
}

/** The command of the longest path that the words begin with, and that path; `path` alone for a group of commands. */
export interface Matched {
  readonly path: readonly string[]
  readonly command: PeerCommandClass | undefined
}

/** Finds the command that a command line means. */
export function matchCommand(words: readonly string[], commands: readonly PeerCommandClass[]): Matched {
  let best: Matched = { path: [], command: undefined }
  for (const command of commands) {
    for (const path of command.paths ?? []) {
      const differs = path.findIndex((word, index) => word !== words[index])
      const length = differs < 0 ? path.length : differs
      if (length > best.path.length || (differs < 0 && length === best.path.length && best.command === undefined))
        best = { path: path.slice(0, length), command: differs < 0 ? command : undefined }
    }
  }
  return best
}
