/** A value as people may see it: secrets are replaced, wherever they come from. */
export function present(key: string, value: unknown): unknown {
  if (value === undefined || value === '') return value
  return /secret|password/i.test(key) ? '(hidden)' : value
}
