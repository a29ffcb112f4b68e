import { PeerError } from './errors.js'
import type { PluginManifest } from './manifest.js'
import type { Token } from './token.js'

interface Offer {
  readonly plugin: PluginManifest
  readonly token: Token<unknown>
  readonly value: unknown
}

/** The services of one peer: who offers what under which token. */
export class ServiceRegistry {
  readonly #offers = new Map<string, Offer>()

  /** Throws ERR_SERVICE_UNLISTED or ERR_SERVICE_TWICE. */
  provide(plugin: PluginManifest, token: Token<unknown>, value: unknown): void {
    if (!lists(plugin.provides, token)) throw unlisted(plugin, token, 'provides', '', 'provides')
    const other = this.#offers.get(token.name)
    if (other !== undefined)
      throw new PeerError('ERR_SERVICE_TWICE', `plugin ${plugin.name} provides ${token.name}, which ${other.plugin.name} has provided already`)
    this.#offers.set(token.name, { plugin, token, value })
  }

  /** Throws ERR_SERVICE_UNLISTED or ERR_SERVICE_MISSING. */
  use<T>(plugin: PluginManifest, token: Token<T>): T {
    const found = this.#look(plugin, token)
    if (found !== undefined) return found.value
    throw new PeerError('ERR_SERVICE_MISSING', `plugin ${plugin.name} uses ${token.name}, which nobody has provided so far`, {
      details: { plugin: plugin.name, token: token.name },
      hint: `add ${token.providedBy} to plugins; if it is there, use the service in a later hook`,
    })
  }

  /** Throws ERR_SERVICE_UNLISTED. */
  find<T>(plugin: PluginManifest, token: Token<T>): T | undefined {
    return this.#look(plugin, token)?.value
  }

  /** Throws ERR_SERVICE_NOT_PROVIDED if a plugin has not kept its promise. */
  checkProvided(plugin: PluginManifest): void {
    for (const { name } of plugin.provides ?? []) {
      if (this.#offers.get(name)?.plugin === plugin) continue
      throw new PeerError('ERR_SERVICE_NOT_PROVIDED', `plugin ${plugin.name} lists ${name} in provides but has not provided it by the end of registerServices`)
    }
  }

  /** Takes back all that a plugin offered. */
  drop(plugin: PluginManifest): void {
    for (const [name, offer] of this.#offers) if (offer.plugin === plugin) this.#offers.delete(name)
  }

  #look<T>(plugin: PluginManifest, token: Token<T>): { readonly value: T } | undefined {
    if (!lists(plugin.requires, token) && !lists(plugin.uses, token) && !lists(plugin.provides, token))
      throw unlisted(plugin, token, 'takes', ', so nothing orders it after the provider', 'requires or uses')
    const offer = this.#offers.get(token.name)
    return offer !== undefined && isOfferOf(offer, token) ? offer : undefined
  }
}

function lists(tokens: readonly Token<unknown>[] | undefined, token: Token<unknown>): boolean {
  return tokens?.some(({ name }) => name === token.name) ?? false
}

function unlisted({ name }: PluginManifest, token: Token<unknown>, act: string, consequence: string, list: string): PeerError {
  return new PeerError('ERR_SERVICE_UNLISTED', `plugin ${name} ${act} ${token.name} without listing it${consequence}`, {
    hint: `add the token to ${list} of ${name}`,
  })
}

/** `provide` let in only a value of the token's type, under the token's name. */
function isOfferOf<T>(offer: Offer, token: Token<T>): offer is Offer & { readonly value: T } {
  return offer.token.name === token.name
}
