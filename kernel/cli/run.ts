import { Cli } from 'clipanion'
import { loadDefaultSite, loadFiles } from '../config/load.js'
import { PeerError, messageOf } from '../errors.js'
import type { Plugin, StartFlag } from '../plugin.js'
import { type CommandLine, type PeerCommandClass, matchCommand, parseArgv } from './argv.js'
import type { PeerContext } from './context.js'
import { NodeStartCommand } from './node-start.js'
import { failureText, groupHelp, usageText } from './output.js'
import { VersionCommand, versionLine } from './version.js'

/** The program's surroundings; tests bring their own. */
export type Surroundings = Omit<PeerContext, 'loadedSite' | 'defaultSite'>

/**
 * The `peer` program: finds the site, runs one command of the kernel or of the site's plugins.
 * `version`, help and bare `peer` load no file of the site (spec/node.md §1).
 *
 * @returns the exit code: 0, or 1 after an error, which is on stderr
 */
export async function runCli(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const line = parseArgv(argv)
  const load = () => loadFiles({ cwd: surroundings.cwd, file: line.config })
  const context: PeerContext = { ...surroundings, defaultSite: loadDefaultSite, loadedSite: load }
  try {
    if (line.words.length === 0 && line.unknownFlag !== undefined) throw new PeerError('ERR_USAGE', `unknown flag: ${line.unknownFlag}`)
    if (line.words.length === 0 && line.wantsVersion) context.stdout.write(`${versionLine()}\n`)
    else if (line.wantsHelp || line.words.length === 0) return printHelp(line, new Program((await loadDefaultSite()).plugins), context)
    else if (line.words[0] === 'version') return await runCommand(line, new Program([]), context)
    else return await runOfSite(line, context)
    return 0
  } catch (error) {
    context.stderr.write(failureText(error, line.json))
    return 1
  }
}

/** The commands of the kernel and of some plugins. */
class Program {
  readonly commands: readonly PeerCommandClass[]
  readonly startFlags: ReadonlyMap<string, StartFlag>
  readonly cli: Cli<PeerContext>

  constructor(plugins: readonly Plugin[]) {
    this.commands = [NodeStartCommand, VersionCommand, ...plugins.flatMap((plugin) => plugin.commands ?? [])]
    this.startFlags = new Map(plugins.flatMap((plugin) => Object.entries(plugin.startFlags ?? {})))
    this.cli = cliOf(this.commands)
  }

  usage(command: PeerCommandClass): string {
    const flags = command === NodeStartCommand ? [...this.startFlags].map(([name, { description }]): [string, string] => [name, description]) : []
    return usageText(this.cli.definition(command), flags)
  }
}

function cliOf(commands: readonly PeerCommandClass[]): Cli<PeerContext> {
  return Cli.from([...commands], { binaryName: 'peer', enableColors: false })
}

/** Runs a command of the site. If its files are broken, only commands that do not need them run. */
async function runOfSite(line: CommandLine, context: PeerContext): Promise<number> {
  try {
    const site = await context.loadedSite()
    return await runCommand(line, new Program(site.plugins), { ...context, loadedSite: async () => site })
  } catch (broken) {
    const program = new Program((await loadDefaultSite()).plugins)
    const { command } = matchCommand(line.words, program.commands)
    if (command === undefined || !('needsSite' in command) || command.needsSite !== false) throw broken
    return runCommand(line, program, context)
  }
}

function printHelp(line: CommandLine, program: Program, { stdout, stderr }: PeerContext): number {
  const words = line.words.filter((word) => word !== '-h' && word !== '--help')
  const { command, path } = matchCommand(words, program.commands)
  if (words.length > 0 && path.length === 0) return unknownCommand(words[0] ?? '', line.json, stderr)
  stdout.write(command === undefined ? groupHelp(path, program.commands) : `${command.usage?.description ?? ''}\n\n${program.usage(command)}`)
  return 0
}

function unknownCommand(word: string, json: boolean, stderr: NodeJS.WritableStream): number {
  const error = new PeerError('ERR_COMMAND_UNKNOWN', `unknown command "${word}" for "peer"`)
  stderr.write(`${failureText(error, json)}${json ? '' : `Run 'peer --help' for usage.\n`}`)
  return 1
}

async function runCommand(line: CommandLine, program: Program, context: PeerContext): Promise<number> {
  const { command, path } = matchCommand(line.words, program.commands)
  if (path.length === 0) return unknownCommand(line.words[0] ?? '', line.json, context.stderr)
  if (command === undefined) {
    context.stdout.write(groupHelp(path, program.commands))
    return 0
  }
  const given = [...path, ...line.leading, ...line.words.slice(path.length)]
  const input = command === NodeStartCommand ? expandStartFlags(given, program.startFlags) : given
  let parsed
  try {
    parsed = cliOf([command]).process({ input, context }) // a parser of all commands takes 100 ms to build
  } catch (cause) {
    // Clipanion's first line says what is wrong; the rest repeats the usage.
    const message = messageOf(cause).split('\n')[0] ?? ''
    const error = new PeerError('ERR_USAGE', message.replace(/^Command not found.*/, 'wrong number of arguments'), { cause })
    context.stderr.write(failureText(error, line.json, program.usage(command)))
    return 1
  }
  return program.cli.run(parsed, context)
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
