import type { Client, ClientOptions, ChannelCredentials } from '@grpc/grpc-js'
import { Command, Option } from 'clipanion'
import type { KeySpecs, Settings } from '../config/keys.js'

/** A generated grpc-js client class. */
export type ClientClass<C extends Client> = new (address: string, credentials: ChannelCredentials, options?: Partial<ClientOptions>) => C

/**
 * Base of every subcommand: global options, one way to print results (`--json` or text) and errors.
 * A subclass defines `static paths`, `static usage` (with examples), its options and `run()`.
 */
export abstract class PeerCommand extends Command {
  config = Option.String('--config', { description: 'configuration file of the site (default: searched from the working directory upwards)' })
  set = Option.Array('--set', [], { description: 'override one key: --set key=value; may be repeated' })
  loggingLevel = Option.String('--logging-level', { description: 'log levels: [<module>[,<module>...]=]<level>[:...]' })
  json = Option.Boolean('--json', false, { description: 'print one JSON object on stdout' })

  /** The command's work. Returns its exit code (nothing: 0). What it throws is printed as an error, exit code 1. */
  protected abstract run(): Promise<number | void>

  /** Implemented by the kernel: runs `run` and turns failures into a message on stderr and exit code 1. */
  abstract override execute(): Promise<number>

  /** Prints a result: `value` as one line of JSON under `--json`, else `text` exactly as it is. */
  protected abstract report(value: unknown, text: string): void

  /** The site's validated values of some keys (all layers; the plugins of the site are not started). */
  protected abstract settings<K extends KeySpecs>(keys: K): Promise<Settings<K>>

  /** Connects to `peer.address` within 3 s (spec/node.md §1), TLS as configured; throws `grpc: timed out when dialing`. */
  protected abstract dial<C extends Client>(client: ClientClass<C>): Promise<C>
}
