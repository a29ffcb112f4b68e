import { Option } from 'clipanion'
import { PeerCommand, PeerError, type ResolvedEntry, nearest } from '../../../kernel/index.js'
import { present } from '../present.js'

/** `peer config show` */
export class ConfigShowCommand extends PeerCommand {
  static override paths = [['config', 'show']]
  static override usage = PeerCommand.Usage({
    description: 'Show the values of this site, and where they come from.',
    details: 'All layers count: defaults, base, file, environment, --set. Secrets are not shown.',
    examples: [
      ['Every value', '$0 config show'],
      ['One section, with origins', '$0 config show --origin peer.tls'],
    ],
  })

  origin = Option.Boolean('--origin', false, { description: 'also print layer and origin of each value' })
  keys = Option.Rest({ name: 'key' })

  protected async run(): Promise<void> {
    const entries = this.#selected((await this.resolved()).entries())
    const shown = entries.map(({ key, value, layer, origin, description }) => ({ key, value: present(key, value), layer, origin, description }))
    const line = ({ key, value, layer, origin }: (typeof shown)[number]): string =>
      `${key} = ${value === undefined ? '(not set)' : JSON.stringify(value)}${this.origin ? `   # ${layer === 'default' ? `default of ${origin}` : `${layer}: ${origin}`}` : ''}\n`
    this.report({ values: shown.map((entry) => ({ ...entry, value: entry.value ?? null })) }, shown.map(line).join(''))
  }

  /** The entries of the named keys and sections; all if none is named. */
  #selected(entries: readonly ResolvedEntry[]): readonly ResolvedEntry[] {
    if (this.keys.length === 0) return entries
    const isBelow = (key: string, name: string): boolean => key === name || key.startsWith(`${name}.`)
    for (const name of this.keys) {
      if (entries.some(({ key }) => isBelow(key, name))) continue
      const near = nearest(
        name,
        entries.map(({ key }) => key),
      )
      throw new PeerError('ERR_CONFIG_KEY_UNKNOWN', `no plugin of this site has a key ${name}${near === undefined ? '' : `, did you mean ${near}?`}`)
    }
    return entries.filter(({ key }) => this.keys.some((name) => isBelow(key, name)))
  }
}
