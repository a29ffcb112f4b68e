import { PeerError } from '../../kernel/index.js'

/**
 * Reads a `-c` argument: `{"Function": "f", "Args": ["a"]}` or `{"Args": ["f", "a"]}`, keys in any case (spec/node.md §1).
 *
 * @returns the arguments, function first
 * @throws PeerError with v0.6's texts. What is JSON but no object crashes v0.6 and is refused like bad JSON here.
 */
export function parseConstructor(json: string): string[] {
  if (json === '{}') throw refused("Empty JSON chaincode parameters must contain the following keys: 'Args' or 'Function' and 'Args'")
  const members = parseObject(json)
  const names = members
    .map(([name]) => name)
    .sort()
    .join()
  if (names !== 'args' && names !== 'args,function') {
    throw refused("Non-empty JSON chaincode parameters must contain the following keys: 'Args' or 'Function' and 'Args'")
  }
  // As Go reads JSON: null is what is not there.
  const args = new Map(members).get('args') ?? []
  if (!Array.isArray(args)) throw refused(`Chaincode argument error: Args must be an array of strings, found ${kindOf(args)}`)
  const words = args.map((item: unknown): string => {
    const arg = item ?? ''
    if (typeof arg !== 'string')
      throw refused(`Chaincode argument error: json: cannot unmarshal ${kindOf(arg)} into Go struct field strArgs.Args of type string`)
    return arg
  })
  const fn = new Map(members).get('function') ?? ''
  if (typeof fn !== 'string')
    throw refused(`Chaincode argument error: json: cannot unmarshal ${kindOf(fn)} into Go struct field strArgs.Function of type string`)
  return fn === '' ? words : [fn, ...words]
}

/** Reads an `-a` argument: a JSON array of strings. */
export function parseAttributes(json: string): string[] {
  const value = parseJson(json) ?? []
  if (!Array.isArray(value)) throw refused(`Chaincode argument error: attributes must be a JSON array of strings, found ${kindOf(value)}`)
  return value.map((item: unknown): string => {
    const attribute = item ?? ''
    if (typeof attribute !== 'string') throw refused(`Chaincode argument error: json: cannot unmarshal ${kindOf(attribute)} into Go value of type string`)
    return attribute
  })
}

/** The members of an object, their names in lower case: one name may occur in several spellings. */
function parseObject(json: string): (readonly [string, unknown])[] {
  const value = parseJson(json)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refused(`Chaincode argument error: expected a JSON object such as {"Args":["query","a"]}, found ${kindOf(value)}`)
  }
  return Object.entries(value).map(([name, member]) => [name.toLowerCase(), member] as const)
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw refused(`Chaincode argument error: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

function refused(message: string): PeerError {
  return new PeerError('ERR_CONSTRUCTOR', message)
}
