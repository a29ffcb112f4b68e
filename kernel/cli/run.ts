import { Cli } from 'clipanion'
import { loadFiles, loadPackagedSite } from '../config/load.js'
import { didYouMean } from '../config/nearest.js'
import { PeerError, messageOf } from '../errors.js'
import type { Plugin } from '../plugin.js'
import { type CommandLine, type PeerCommandClass, matchCommand, parseArgv } from './argv.js'
import type { PeerContext } from './command.js'
import { failureText, usageText } from './output.js'
import { NodeStartCommand } from './node-start.js'

/** The program's surroundings; tests bring their own. */
export interface Surroundings extends Omit<PeerContext, 'loadedSite' | 'defaultSite'> {
  /** The module of the packaged default site. */
  readonly packaged: string
}

/**
 * The `peer` program: finds the site, runs one command of the kernel or of the site's plugins. Commands of the packaged site that need
 * no site (`version`, `help`) are always there and load no file (spec/node.md §1).
 * Returns the exit code: 0, or 1 after an error, which is on stderr.
 */
export async function runCli(argv: readonly string[], { packaged, ...surroundings }: Surroundings): Promise<number> {
  const line = parseArgv(argv)
  try {
    if (surroundings.cwd === '') throw new PeerError('ERR_DIRECTORY_GONE', 'the working directory is gone: change to one that is there')
    if (line.unknownFlag !== undefined) throw new PeerError('ERR_USAGE', `unknown flag: ${line.unknownFlag}`)
    const own = await loadPackagedSite(packaged)
    const context = { ...surroundings, defaultSite: async () => own, loadedSite: () => loadFiles(surroundings.cwd, line.config, own) }
    const ownCommands = own.plugins.flatMap(({ commands = [] }) => commands)
    const general = ownCommands.filter((command) => 'needsSite' in command && command.needsSite === false)
    const subject = asked(line.words) // it may be a command of the site's own plugins alone
    const isKnown = subject.length === 0 || matchCommand(subject, [NodeStartCommand, ...ownCommands]).path.length > 0
    if (isKnown && matchCommand(line.words, general).command !== undefined) return await runCommand(line, ownCommands, [], context)
    const site = await context.loadedSite()
    const commands = new Set([...site.plugins.flatMap((plugin) => plugin.commands ?? []), ...general])
    return await runCommand(line, [...commands], site.plugins, { ...context, loadedSite: async () => site })
  } catch (error) {
    surroundings.stderr.write(failureText(error, line.json))
    return 1
  }
}

/** The words whose help is asked for; none for any other command. */
function asked(words: readonly string[]): readonly string[] {
  return words[0] === 'help' ? words.slice(1).filter((word) => !word.startsWith('-')) : []
}

function cliOf(commands: readonly PeerCommandClass[]): Cli<PeerContext> {
  return Cli.from([...commands], { binaryName: 'peer', enableColors: false })
}

async function runCommand(line: CommandLine, brought: readonly PeerCommandClass[], plugins: readonly Plugin[], context: PeerContext): Promise<number> {
  const commands = [NodeStartCommand, ...brought]
  const { command, path } = matchCommand(line.words, commands)
  if (command === undefined) {
    if (path.length > 0) return runCommand({ ...line, words: ['help', ...line.words.slice(0, path.length + 1)] }, brought, plugins, context)
    const near = didYouMean(line.words[0] ?? '', new Set(commands.flatMap(({ paths = [] }) => paths.map(([first = '']) => first))))
    const error = new PeerError('ERR_COMMAND_UNKNOWN', `unknown command "${line.words[0]}" for "peer"${near}`)
    context.stderr.write(`${failureText(error, line.json)}${line.json ? '' : `Run 'peer --help' for usage.\n`}`)
    return 1
  }
  // Help knows a command by its first path; others are aliases.
  const [named = asked(line.words)] = matchCommand(asked(line.words), commands).command?.paths ?? []
  const given =
    asked(line.words).length === 0 ? [...path, ...line.leading, ...line.words.slice(path.length)] : ['help', ...named, ...(line.json ? ['--json'] : [])]
  const input = command === NodeStartCommand ? expandStartFlags(given, plugins) : given
  let parsed
  try {
    parsed = cliOf([command]).process({ input, context }) // a parser of all commands takes 100 ms to build
  } catch (cause) {
    // Clipanion's first line says what is wrong; the rest repeats the usage.
    const usage = usageText(cliOf([command]).definition(command))
    const flags = new Set<string>(usage.match(/(?<=\s)--?[a-z][\w-]*/g))
    const unknown = input.flatMap((word) => /^--?[^=]*/.exec(word) ?? []).find((flag) => !flags.has(flag))
    const wrong = unknown === undefined ? 'wrong number of arguments' : `unknown option ${unknown}${didYouMean(unknown, flags)}`
    const message = (messageOf(cause).split('\n')[0] ?? '').replace(/^(Command not found|Unsupported option name|Invalid option name).*/, wrong)
    context.stderr.write(failureText(new PeerError('ERR_USAGE', message, { cause }), line.json, usage))
    return 1
  }
  return cliOf(commands).run(parsed, context)
}

/** Replaces the plugins' start flags by the `--set` options that they stand for; `--flag=false` by nothing. */
function expandStartFlags(input: readonly string[], plugins: readonly Plugin[]): string[] {
  return input.flatMap((token) => {
    const [name = '', word = 'true'] = token.split('=', 2)
    const flag = plugins.find(({ startFlags }) => startFlags?.[name] !== undefined)?.startFlags?.[name]
    if (flag === undefined) return [token]
    return /^(1|t|true)$/i.test(word) ? Object.entries(flag.set).flatMap(([key, value]) => ['--set', `${key}=${value}`]) : []
  })
}
