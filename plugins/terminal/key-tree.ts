/** Values by the parts of their keys. */
export type KeyTree = Map<string, KeyTree | string>

/** Values under dotted keys as files nest them; a value is its JSON. Where one key goes through another, the later one stays. */
export function keyTree(values: Iterable<readonly [key: string, value: unknown]>): KeyTree {
  const tree: KeyTree = new Map()
  for (const [key, value] of values) insert(tree, key.split('.'), JSON.stringify(value))
  return tree
}

function insert(tree: KeyTree, [name = '', ...rest]: readonly string[], text: string): void {
  if (rest.length === 0) {
    tree.set(name, text)
    return
  }
  const found = tree.get(name)
  const below: KeyTree = found instanceof Map ? found : new Map()
  tree.set(name, below)
  insert(below, rest, text)
}
