type Version = readonly [major: number, minor: number, patch: number]

/**
 * Whether a range of npm takes a version: comparators (`^ ~ >= > <= < =`), partial versions (`1`, `1.2.x`, `*`) and `||`. Undefined: a form that this does not read
 * (`1.0 - 2.0`, prereleases).
 */
export function takesVersion(range: string, version: string): boolean | undefined {
  const found = parse(version)
  if (!found) return undefined
  const verdicts = range.split('||').map((part) => takesAll(part.trim(), found))
  if (verdicts.includes(true)) return true
  return verdicts.includes(undefined) ? undefined : false
}

function takesAll(part: string, version: Version): boolean | undefined {
  const words = part.replace(/([\^~<>=]+)\s+/g, '$1').split(/\s+/)
  const verdicts = words.map((word) => takes(word, version))
  return verdicts.includes(undefined) ? undefined : !verdicts.includes(false)
}

function takes(word: string, version: Version): boolean | undefined {
  const [, operator = '', numbers = ''] = /^([\^~]|>=?|<=?|=)?v?(.*)$/.exec(word) ?? []
  const given = numbers.split('.').filter((part) => !/^[xX*]?$/.test(part))
  if (given.length > 3 || given.some((part) => !/^\d+$/.test(part))) return undefined
  const [major = 0, minor = 0, patch = 0] = given.map(Number)
  const low: Version = [major, minor, patch]
  if (given.length === 0) return true
  switch (operator) {
    case '>=':
      return compare(version, low) >= 0
    case '>':
      return compare(version, given.length === 3 ? low : above(low, given.length)) >= (given.length === 3 ? 1 : 0)
    case '<':
      return compare(version, low) < 0
    case '<=':
      return given.length === 3 ? compare(version, low) <= 0 : compare(version, above(low, given.length)) < 0
    case '^': {
      const fixed = major > 0 || given.length === 1 ? 1 : minor > 0 || given.length === 2 ? 2 : 3
      return within(version, low, fixed)
    }
    case '~':
      return within(version, low, Math.min(2, given.length))
    default:
      return within(version, low, given.length)
  }
}

/** From `low` on, as long as its first `fixed` numbers stay. */
function within(version: Version, low: Version, fixed: number): boolean {
  return compare(version, low) >= 0 && compare(version, above(low, fixed)) < 0
}

/** The first version in which one of the first `fixed` numbers is greater. */
function above([major, minor, patch]: Version, fixed: number): Version {
  if (fixed === 1) return [major + 1, 0, 0]
  return fixed === 2 ? [major, minor + 1, 0] : [major, minor, patch + 1]
}

function compare(left: Version, right: Version): number {
  const at = left.findIndex((number, index) => number !== right[index])
  return at < 0 ? 0 : (left[at] ?? 0) - (right[at] ?? 0)
}

function parse(version: string): Version | undefined {
  const [, major, minor, patch] = /^(\d+)\.(\d+)\.(\d+)$/.exec(version) ?? []
  return patch === undefined ? undefined : [Number(major), Number(minor), Number(patch)]
}
