import type { CommandClass } from 'clipanion'
import type { PeerContext } from './context.js'

export type PeerCommandClass = CommandClass<PeerContext>

const TAKES_VALUE = new Set(['--config', '--set', '--logging-level'])
const GLOBAL_FLAGS = new Set([...TAKES_VALUE, '--json', '-h', '--help', '-v', '--version'])
const COVERAGE = '--test.coverprofile'

/** A command line, taken apart as far as it can be without knowing the commands. */
export interface CommandLine {
  /** Words and flags from the first word on: the command, its flags and arguments. */
  readonly words: readonly string[]
  /** Global flags that stood before the command. */
  readonly leading: readonly string[]
  /** The first of them that is no global flag. */
  readonly unknownFlag: string | undefined
  readonly wantsHelp: boolean
  readonly wantsVersion: boolean
  readonly json: boolean
  /** The value of `--config`, wherever it stands. */
  readonly config: string | undefined
}

/** Takes a command line apart. `--test.coverprofile`, for coverage builds of v0.6, is dropped (spec/node.md §1). */
export function parseArgv(argv: readonly string[]): CommandLine {
  const tokens = withoutCoverage(argv)
  const leading: string[] = []
  let at = 0
  while (at < tokens.length && tokens[at]?.startsWith('-') === true) {
    const flag = tokens[at++] ?? ''
    leading.push(flag)
    const value = tokens[at]
    if (TAKES_VALUE.has(flag) && value !== undefined) {
      leading.push(value)
      at++
    }
  }
  const isHelpWord = tokens[at] === 'help'
  const words = tokens.slice(isHelpWord ? at + 1 : at)
  const end = tokens.indexOf('--')
  const flags = end < 0 ? tokens : tokens.slice(0, end)
  return {
    words,
    leading,
    unknownFlag: leading.find((flag) => flag.startsWith('-') && !GLOBAL_FLAGS.has(flag.split('=', 1)[0] ?? flag)),
    wantsHelp: isHelpWord || flags.includes('-h') || flags.includes('--help'),
    wantsVersion: leading.includes('-v') || leading.includes('--version'),
    json: flags.includes('--json'),
    config: valueOf('--config', flags),
  }
}

function withoutCoverage(argv: readonly string[]): readonly string[] {
  return argv.filter((token, index) => token !== COVERAGE && !token.startsWith(`${COVERAGE}=`) && argv[index - 1] !== COVERAGE)
}

function valueOf(flag: string, tokens: readonly string[]): string | undefined {
  const at = tokens.findLastIndex((token) => token === flag || token.startsWith(`${flag}=`))
  if (at < 0) return undefined
  return tokens[at] === flag ? tokens[at + 1] : tokens[at]?.slice(flag.length + 1)
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
      let length = 0
      while (length < path.length && path[length] === words[length]) length++
      const complete = length === path.length
      if (length > best.path.length || (complete && length === best.path.length && best.command === undefined)) {
        best = { path: path.slice(0, length), command: complete ? command : undefined }
      }
    }
  }
  return best
}
