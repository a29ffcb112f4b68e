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
  const names = [...members.keys()].sort().join()
  if (names !== 'args' && names !== 'args,function') {
    throw refused("Non-empty JSON chaincode parameters must contain the following keys: 'Args' or 'Function' and 'Args'")
  }
  const args = members.get('args')
  if (!Array.isArray(args)) throw refused(`Chaincode argument error: Args must be an array of strings, found ${kindOf(args)}`)
  const words = args.map((arg: unknown): string => {
    if (typeof arg !== 'string') throw refused(`Chaincode argument error: json: cannot unmarshal ${kindOf(arg)} into Go struct field strArgs.Args of type string`)
    return arg
  })
  const fn = members.get('function') ?? ''
  if (typeof fn !== 'string') throw refused(`Chaincode argument error: json: cannot unmarshal ${kindOf(fn)} into Go struct field strArgs.Function of type string`)
  return fn === '' ? words : [fn, ...words]
}

/** Reads an `-a` argument: a JSON array of strings. */
export function parseAttributes(json: string): string[] {
  const value = parseJson(json)
  if (!Array.isArray(value)) throw refused(`Chaincode argument error: attributes must be a JSON array of strings, found ${kindOf(value)}`)
  return value.map((item: unknown): string => {
    if (typeof item !== 'string') throw refused(`Chaincode argument error: json: cannot unmarshal ${kindOf(item)} into Go value of type string`)
    return item
  })
}

function parseObject(json: string): Map<string, unknown> {
  const value = parseJson(json)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refused(`Chaincode argument error: expected a JSON object such as {"Args":["query","a"]}, found ${kindOf(value)}`)
  }
  return new Map(Object.entries(value).map(([name, member]) => [name.toLowerCase(), member]))
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
