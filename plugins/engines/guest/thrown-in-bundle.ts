import { placeInCode } from '../../loader/source-maps.js'
import { orElse, sourceName, type StackFrame, thrownText } from '../../loader/thrown.js'

/** The name of an engine's bundle in stacks. */
export const BUNDLE = 'engine.mjs'

/** What is in a bundle and is not the engine's: Weft's part, and what joins the two. */
const NOT_THE_ENGINES = /^(weft-guest:|engine$)/

/** What an engine threw, with the places in its own code, which the map at the end of its bundle tells. */
export function thrownInBundle(thrown: unknown, bundle: Uint8Array): string {
  const text = Buffer.from(bundle.buffer, bundle.byteOffset, bundle.length).toString('utf8')
  return `${thrownText(thrown, (frame) => placeOf(frame, text))}${orElse('', () => deniedWhat(thrown))}`
}

function placeOf({ file, line, column }: StackFrame, code: string): string | undefined {
  if (file !== BUNDLE) return undefined
  const found = placeInCode(code, line, column)
  const source = found && sourceName(found.source)
  return found === undefined || source === undefined || NOT_THE_ENGINES.test(source) ? undefined : `${source}:${found.line}:${found.column}`
}

/** Node says that something is restricted, but not what. */
function deniedWhat(thrown: unknown): string {
  if (!(thrown instanceof Error) || Reflect.get(thrown, 'code') !== 'ERR_ACCESS_DENIED') return ''
  const [permission, resource] = ['permission', 'resource'].map((name): unknown => Reflect.get(thrown, name))
  return `: an engine has no files, processes or network, and it wanted ${String(permission)}${typeof resource === 'string' && resource !== '' ? ` of ${resource.slice(0, 200)}` : ''}`
}
