import { type BaseContext, Command, Option } from 'clipanion'
import type { KeySpecs, Settings } from '../config/keys.js'
import { type LoadedSite, layerSite } from '../config/layers.js'
import { type ResolvedSettings, resolveSettings } from '../config/resolve.js'
import type { SiteConfig } from '../config/site.js'
import { failureText, OF_THE_COMMAND_LINE, toJson, usageText } from './output.js'

/** What commands get from the program around them; tests bring their own. */
export interface PeerContext extends BaseContext {
  /** Directory from which the site is searched and relative paths count. */
  cwd: string
  /** The program's own version. */
  version: string
  /** The site that brought the commands; loads it on first use. */
  loadedSite(): Promise<LoadedSite>
  /** The packaged default site, which needs no file. */
  defaultSite(): Promise<LoadedSite>
}

/**
 * Base of every subcommand: global options, one way to print results (`--json` or text) and errors.
 * A subclass defines `static paths`, `static usage` (with examples), its options and `run()`.
 */
export abstract class PeerCommand extends Command<PeerContext> {
  /** False for commands of the packaged site that read no site, so that they work where its files are broken. */
  static readonly needsSite: boolean = true

  /** The codes of errors after which the usage is printed. Commands of v0.6 print it after more of them (spec/node.md §1). */
  protected readonly usageAfter: RegExp = OF_THE_COMMAND_LINE

  config = Option.String('--config', { description: 'configuration file of the site (default: searched from the working directory upwards)' })
  set = Option.Array('--set', [], { description: 'override one key: --set key=value; may be repeated' })
  loggingLevel = Option.String('--logging-level', { description: 'log levels: [<module>[,<module>...]=]<level>[:...]' })
  json = Option.Boolean('--json', false, { description: 'print one JSON object on stdout' })

  /** The command's work. Returns its exit code (nothing: 0). What it throws is printed as an error, exit code 1. */
  protected abstract run(): Promise<number | void>

  /** Runs `run`; a failure becomes a message on stderr (one JSON object under `--json`) and exit code 1. */
  override async execute(): Promise<number> {
    try {
      return (await this.run()) ?? 0
    } catch (error) {
      this.context.stderr.write(failureText(this.failure(error), this.json, usageText(this.cli.definition(this.constructor)), this.usageAfter))
      return 1
    }
  }

  /** What is printed of something that `run` threw; a subclass may say it in other words. */
  protected failure(error: unknown): unknown {
    return error
  }

  /** Prints a result: `value` as one line of JSON under `--json`, else `text` exactly as it is. */
  protected report(value: unknown, text: string): void {
    this.context.stdout.write(this.json ? `${toJson(value)}\n` : text)
  }

  /** Tells the person, not the program that reads stdout; under `--json` as an object with `warning`, one a line. */
  protected warn(text: string): void {
    this.context.stderr.write(`${this.json ? toJson({ warning: text }) : text}\n`)
  }

  /** The site with all its layers, not validated yet. */
  protected async site(): Promise<SiteConfig> {
    const loaded = await this.context.loadedSite()
    const levels = this.loggingLevel === undefined ? [] : [`logging.level=${this.loggingLevel}`]
    return layerSite(loaded, this.context.env, [...this.set, ...levels])
  }

  /** All validated values of the site, with their origins. */
  protected async resolved(): Promise<ResolvedSettings> {
    return resolveSettings(await this.site())
  }

  /** The site's validated values of some keys (all layers; the plugins of the site are not started). */
  protected async settings<K extends KeySpecs>(keys: K): Promise<Settings<K>> {
    return (await this.resolved()).settings(keys)
  }
}
