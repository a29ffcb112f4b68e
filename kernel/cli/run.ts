import { Cli, type Definition } from 'clipanion'
import { type LoadedSite, loadDefaultSite, loadFiles } from '../config/load.js'
import { PeerError } from '../errors.js'
import type { Plugin, StartFlag } from '../plugin.js'
import { type CommandLine, type Matched, type PeerCommandClass, matchCommand, parseArgv } from './argv.js'
import type { PeerContext } from './context.js'
import { groupHelp } from './help.js'
import { NodeStartCommand } from './node-start.js'
import { failureText, usageText } from './output.js'
import { PluginListCommand } from './plugin-list.js'
import { VersionCommand, versionLine } from './version.js'

/** The program's surroundings; tests bring their own. */
export type Surroundings = Omit<PeerContext, 'loadedSite' | 'defaultSite'>

const BASE_COMMANDS: readonly PeerCommandClass[] = [NodeStartCommand, PluginListCommand, VersionCommand]

/**
 * The `peer` program: finds the site, runs one command of the kernel or of the site's plugins.
 * `version`, help and bare `peer` load no file of the site (spec/node.md §1).
 *
 * @returns the exit code: 0, or 1 after an error, which is on stderr
 */
export async function runCli(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const line = parseArgv(argv)
  const { stdout, stderr } = surroundings
  if (line.words.length === 0 && line.wantsVersion) {
    stdout.write(`${versionLine()}\n`)
    return 0
  }
  try {
    if (line.wantsHelp || line.words.length === 0) return await printHelp(line, surroundings)
    if (line.words[0] === 'version') return await runCommand(line, { ...surroundings, defaultSite: loadDefaultSite, loadedSite: loadDefaultSite }, [])
    return await runOfSite(line, surroundings)
  } catch (error) {
    stderr.write(failureText(error, line.json, null))
    return 1
  }
}

/** Runs a command of the site. If its files are broken, only commands that do not need them run. */
async function runOfSite(line: CommandLine, surroundings: Surroundings): Promise<number> {
  const load = async (): Promise<LoadedSite> => loadFiles({ cwd: surroundings.cwd, file: line.config })
  try {
    const site = await load()
    return await runCommand(line, { ...surroundings, defaultSite: loadDefaultSite, loadedSite: async () => site }, site.plugins)
  } catch (broken) {
    const { plugins } = await loadDefaultSite()
    const { command } = matchCommand(line.words, commandsOf(plugins))
    if (command === undefined || !('needsSite' in command) || command.needsSite !== false) throw broken
    return runCommand(line, { ...surroundings, defaultSite: loadDefaultSite, loadedSite: load }, plugins)
  }
}

function commandsOf(plugins: readonly Plugin[]): readonly PeerCommandClass[] {
  return [...BASE_COMMANDS, ...plugins.flatMap((plugin) => plugin.commands ?? [])]
}

/** The flags that the plugins add to `peer node start`. */
function startFlagsOf(plugins: readonly Plugin[]): ReadonlyMap<string, StartFlag> {
  return new Map(plugins.flatMap((plugin) => Object.entries(plugin.startFlags ?? {})))
}

async function printHelp(line: CommandLine, { stdout, stderr }: Surroundings): Promise<number> {
  const { plugins } = await loadDefaultSite()
  const commands = commandsOf(plugins)
  const words = line.words.filter((word) => word !== '-h' && word !== '--help')
  const matched = matchCommand(words, commands)
  if (words.length > 0 && matched.path.length === 0) return unknownCommand(words[0] ?? '', line.json, stderr)
  if (matched.command === undefined) stdout.write(groupHelp(matched.path, commands))
  else stdout.write(`${matched.command.usage?.description ?? ''}\n\n${commandUsage(cliOf(commands), matched.command, plugins)}`)
  return 0
}

function unknownCommand(word: string, json: boolean, stderr: NodeJS.WritableStream): number {
  const error = new PeerError('ERR_COMMAND_UNKNOWN', word.startsWith('-') ? `unknown flag: ${word}` : `unknown command "${word}" for "peer"`)
  stderr.write(json ? failureText(error, true, null) : `${failureText(error, false, null)}Run 'peer --help' for usage.\n`)
  return 1
}

function cliOf(commands: readonly PeerCommandClass[]): Cli<PeerContext> {
  return Cli.from([...commands], { binaryName: 'peer', enableColors: false })
}

function commandUsage(cli: Cli<PeerContext>, command: PeerCommandClass, plugins: readonly Plugin[]): string {
  const definition = cli.definition(command)
  return definition === null ? '' : usageText(definition, extraFlags(command, plugins))
}

function extraFlags(command: PeerCommandClass, plugins: readonly Plugin[]): [string, string][] {
  return command === NodeStartCommand ? [...startFlagsOf(plugins)].map(([name, { description }]) => [name, description]) : []
}

async function runCommand(line: CommandLine, context: PeerContext, plugins: readonly Plugin[]): Promise<number> {
  const commands = commandsOf(plugins)
  const matched = matchCommand(line.words, commands)
  if (matched.path.length === 0) return unknownCommand(line.words[0] ?? '', line.json, context.stderr)
  const { command, path } = matched
  if (command === undefined) {
    context.stdout.write(groupHelp(path, commands))
    return 0
  }
  const cli = cliOf(commands)
  let input = [...path, ...line.leading, ...line.words.slice(path.length)]
  if (command === NodeStartCommand) input = expandStartFlags(input, startFlagsOf(plugins))
  const parsed = parse(cli, input, context)
  if (parsed.error !== undefined) {
    context.stderr.write(failureText(parsed.error, line.json, definitionOf(cli, matched)))
    return 1
  }
  return cli.run(parsed.command, context)
}

function definitionOf(cli: Cli<PeerContext>, { command }: Matched): Definition | null {
  return command === undefined ? null : cli.definition(command)
}

/** Replaces the plugins' start flags by the `--set` options that they stand for; `--flag=false` by nothing. */
function expandStartFlags(input: readonly string[], flags: ReadonlyMap<string, StartFlag>): string[] {
  return input.flatMap((token) => {
    const [name = '', word = 'true'] = token.split('=', 2)
    const flag = flags.get(name)
    if (flag === undefined) return [token]
    return /^(1|t|true)$/i.test(word) ? Object.entries(flag.set).flatMap(([key, value]) => ['--set', `${key}=${value}`]) : []
  })
}

type Parsed = { readonly command: ReturnType<Cli<PeerContext>['process']>; readonly error?: undefined } | { readonly error: PeerError }

/** Clipanion's parser, with its several kinds of errors as one sentence. */
function parse(cli: Cli<PeerContext>, input: string[], context: PeerContext): Parsed {
  try {
    return { command: cli.process({ input, context }) }
  } catch (cause) {
    const message = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
    return { error: new PeerError('ERR_USAGE', message.replace(/^Command not found.*/, 'wrong number of arguments'), { cause }) }
  }
}
