import type { KeySpecs } from './config/keys.js'
import type { Token } from './token.js'

/** A flag of `peer node start` that stands for values of keys, as `--set` would give them. */
export interface StartFlag {
  readonly description: string
  readonly set: Readonly<Record<string, string>>
}

/** What a plugin says of itself, without what it does: all that configuration and commands know of other plugins. */
export interface PluginManifest {
  /** Unique within a site; also the module name in logs. */
  readonly name: string
  readonly version?: string
  /** One sentence for `peer plugin list`. */
  readonly description?: string
  /** The configuration keys that it reads. */
  readonly config?: KeySpecs
  /** Keys of v0.6 that nothing of Weft reads; where a site has them, and everything below them, one note says so. */
  readonly unusedKeys?: readonly string[]
  /** The words by which its subcommands are called. */
  readonly commands?: readonly { readonly paths?: readonly (readonly string[])[] }[]
  /** Flags that it adds to `peer node start`, by name (`--peer-chaincodedev`). */
  readonly startFlags?: Readonly<Record<string, StartFlag>>
  /** Tokens that it will provide: checked at start, and used to order plugins. */
  readonly provides?: readonly Token<unknown>[]
  /** Tokens without which it cannot run: a missing one fails the start and names the plugin to add. */
  readonly requires?: readonly Token<unknown>[]
  /** Tokens that it uses if somebody provides them: they only influence the order. */
  readonly uses?: readonly Token<unknown>[]
}
