import { isRecord } from '../terminal/index.js'
import { shake256 } from './aids/shake256.js'
import type { HelloDeclaration } from './consensus.js'
import type { EngineFactory } from './engine/engine.js'

/** What of a site must be the same on all validators. */
export interface AgreedSite {
  readonly validators: readonly string[]
  readonly factory: Pick<EngineFactory, 'name' | 'version'>
  /** As the factory parsed them. */
  readonly options: unknown
  readonly compatibility: 'weft' | 'v0.6'
  /** Further keys of the configuration with their values. */
  readonly settings: Readonly<Record<string, unknown>>
}

const LONGEST_VALUE = 100
const MOST_OPTIONS = 40

/** What the HELLO declares, so that validators which could not agree say so when they meet, with the key, and not by falling apart later (design: epoch 0). */
export function agreedSettings({ validators, factory, options, compatibility, settings }: AgreedSite): HelloDeclaration {
  const values = new Map<string, string>([
    ['peer.validator.compatibility', compatibility],
    ['consensus.validators', shortened(validators.join(','))],
    ['peer.validator.consensus.plugin', shortened(`${factory.name.toLowerCase()} ${factory.version}`)],
  ])
  for (const [key, value] of Object.entries(settings)) values.set(key, shortened(textOf(value)))
  for (const [name, value] of optionsOf(options)) values.set(`option ${name} of ${factory.name}`, shortened(value))
  return {
    settings: values,
    ...(compatibility === 'v0.6'
      ? {}
      : { refuseOriginals: 'an original validator is refused: peer.validator.compatibility is weft; v0.6, on every Weft validator, lets originals in' }),
  }
}

function optionsOf(options: unknown): (readonly [name: string, value: string])[] {
  const entries = isRecord(options) ? Object.entries(options) : []
  if (!isRecord(options) || entries.length > MOST_OPTIONS) return [['values', textOf(options)]]
  return entries.map(([name, value]) => [name, textOf(value)])
}

/** The same text for the same value, whatever the order in which its members were written. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  const sorted = (_name: string, part: unknown): unknown => {
    if (typeof part === 'bigint') return String(part)
    const isPlain = typeof part === 'object' && part !== null && !Array.isArray(part)
    return isPlain ? Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1))) : part
  }
  return JSON.stringify(value, sorted) ?? 'none'
}

function shortened(text: string): string {
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, 40)}… (${Buffer.from(shake256(Buffer.from(text)).subarray(0, 16)).toString('hex')})`
}
