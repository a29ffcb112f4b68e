import { PeerError } from './errors.js'
import type { Plugin } from './plugin.js'

/**
 * How plugins find each other: one plugin offers a value under a token, others take it.
 * The type parameter is the contract; the strings are for error messages.
 */
export interface Token<T> {
  readonly name: string
  /** Module of the plugin that usually provides it; named in errors as "the plugin to add". */
  readonly providedBy: string
  /** Carries the type only; never set. */
  readonly contract?: T
}

/**
 * Makes a token. Export it from the `index.ts` of the plugin that provides the service.
 *
 * @example
 * export const LOOM = createToken<Loom>('loom', './plugins/loom.ts')
 */
export function createToken<T>(name: string, providedBy: string): Token<T> {
  return Object.freeze({ name, providedBy })
}

interface Offer {
  readonly plugin: Plugin
  readonly token: Token<unknown>
  readonly value: unknown
}

/** The services of one peer: who offers what under which token. */
export class ServiceRegistry {
  readonly #offers = new Map<string, Offer>()

  /** Throws ERR_SERVICE_UNLISTED or ERR_SERVICE_TWICE. */
  provide(plugin: Plugin, token: Token<unknown>, value: unknown): void {
    if (!lists(plugin.provides, token)) throw unlisted(plugin, token, 'provides', '', 'provides')
    const other = this.#offers.get(token.name)
    if (other !== undefined)
      throw new PeerError('ERR_SERVICE_TWICE', `plugin ${plugin.name} provides ${token.name}, which ${other.plugin.name} has provided already`)
    this.#offers.set(token.name, { plugin, token, value })
  }

  /** Throws ERR_SERVICE_UNLISTED or ERR_SERVICE_MISSING. */
  use<T>(plugin: Plugin, token: Token<T>): T {
    const found = this.#look(plugin, token)
    if (found !== undefined) return found.value
    throw new PeerError('ERR_SERVICE_MISSING', `plugin ${plugin.name} uses ${token.name}, which nobody has provided so far`, {
      details: { plugin: plugin.name, token: token.name },
      hint: `add ${token.providedBy} to plugins; if it is there, use the service in a later hook`,
    })
  }

  /** Throws ERR_SERVICE_UNLISTED. */
  find<T>(plugin: Plugin, token: Token<T>): T | undefined {
    return this.#look(plugin, token)?.value
  }

  /** Throws ERR_SERVICE_NOT_PROVIDED if a plugin has not kept its promise. */
  checkProvided(plugin: Plugin): void {
    for (const { name } of plugin.provides ?? []) {
      if (this.#offers.get(name)?.plugin === plugin) continue
      throw new PeerError('ERR_SERVICE_NOT_PROVIDED', `plugin ${plugin.name} lists ${name} in provides but has not provided it by the end of registerServices`)
    }
  }

  /** Takes back all that a plugin offered. */
  drop(plugin: Plugin): void {
    for (const [name, offer] of this.#offers) if (offer.plugin === plugin) this.#offers.delete(name)
  }

  #look<T>(plugin: Plugin, token: Token<T>): { readonly value: T } | undefined {
    if (!lists(plugin.requires, token) && !lists(plugin.uses, token) && !lists(plugin.provides, token))
      throw unlisted(plugin, token, 'takes', ', so nothing orders it after the provider', 'requires or uses')
    const offer = this.#offers.get(token.name)
    return offer !== undefined && isOfferOf(offer, token) ? offer : undefined
  }
}

function lists(tokens: readonly Token<unknown>[] | undefined, token: Token<unknown>): boolean {
  return tokens?.some(({ name }) => name === token.name) ?? false
}

function unlisted({ name }: Plugin, token: Token<unknown>, act: string, consequence: string, list: string): PeerError {
  return new PeerError('ERR_SERVICE_UNLISTED', `plugin ${name} ${act} ${token.name} without listing it${consequence}`, {
    hint: `add the token to ${list} of ${name}`,
  })
}

/** `provide` let in only a value of the token's type, under the token's name. */
function isOfferOf<T>(offer: Offer, token: Token<T>): offer is Offer & { readonly value: T } {
  return offer.token.name === token.name
}
