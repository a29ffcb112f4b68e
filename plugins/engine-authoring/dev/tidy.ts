import type { EngineShelf } from '../../engines/index.js'

const DEV = /-dev\.(\d{1,15})$/

/** The number of a version under development, `1.0.0-dev.3`; undefined for every other version. */
export function devNumber(version: string): number | undefined {
  const [, digits] = DEV.exec(version) ?? []
  return digits === undefined ? undefined : Number(digits)
}

/** The highest number of a package's development versions that a validator has; 0: there is none. */
export async function lastNumber(shelf: EngineShelf, packageName: string): Promise<number> {
  return Math.max(0, ...(await devVersions(shelf, packageName)).map(({ number }) => number))
}

/** Removes a package's development versions but those that validators run, and the newest of the others. */
export async function tidy(shelf: EngineShelf, packageName: string, running: readonly string[]): Promise<void> {
  const idle = (await devVersions(shelf, packageName)).filter(({ version }) => !running.includes(version)).sort((left, right) => right.number - left.number)
  for (const { name, version } of idle.slice(1)) await shelf.remove(name, version)
}

async function devVersions(shelf: EngineShelf, packageName: string) {
  return (await shelf.list()).flatMap((note) => {
    const number = note.package.name === packageName ? devNumber(note.version) : undefined
    return number === undefined ? [] : [{ name: note.name, version: note.version, number }]
  })
}
