import { readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type Caught, catchMutant } from './catch.js'
import { closeWorkshop, type Mutant } from './mutant.js'

/** Enough for all of them; `WEFT_MUSEUM_SEEDS=5000` gives a new mutant more time. */
const SEEDS = Number(process.env['WEFT_MUSEUM_SEEDS'] ?? 400)
const PAGE = join(import.meta.dirname, 'README.md')
const isWriting = process.env['WEFT_MUSEUM'] === 'write'
/** From the first seed on, as somebody who never saw the mutants would; else the seed of the table comes first. */
export const isSearching = isWriting || process.env['WEFT_MUSEUM'] === 'search'

/** In real time, on a busy machine. */
export const TIMEOUT_MS = 300_000

/** A test for each mutant, and one for their table in README.md, which `WEFT_MUSEUM=write` writes anew. */
export function describeMutants(hall: string, mutants: readonly Mutant[]): void {
  describe(`the museum of mutants: ${hall}`, () => {
    const caught: Caught[] = []

    const known = isSearching ? new Map<string, number>() : seedsOf(readFileSync(PAGE, 'utf8'))

    for (const mutant of mutants) {
      it(
        `catches ${mutant.name}`,
        async () => {
          const found = await catchMutant(mutant, seedsFor(known.get(mutant.name)))
          if (!found) expect.unreachable(`it lives through ${SEEDS} seeds: ${mutant.why}`)
          caught.push(found)
        },
        TIMEOUT_MS,
      )
    }

    it('lists them all', async () => {
      const page = (await readFile(PAGE, 'utf8')).replaceAll(/ {2,}/g, ' ') // formatters align tables
      expect(isWriting ? [] : mutants.map(({ name }) => name).filter((name) => !page.includes(`| ${name} |`))).toEqual([])
    })

    afterAll(async () => {
      await closeWorkshop()
      if (!isWriting) return
      const page = await readFile(PAGE, 'utf8')
      const place = new RegExp(`(<!-- ${hall} -->\\n)[\\s\\S]*(<!-- end of ${hall} -->)`)
      await writeFile(
        PAGE,
        page.replace(place, (_, start: string, end: string) => `${start}${tableOf(mutants, caught)}${end}`),
      )
    })
  })
}

/** The seed that caught it last time, and then, in case the engine or the plan of scenarios has changed, all of them. */
function* seedsFor(known: number | undefined): Iterable<number> {
  if (known !== undefined) yield known
  for (let seed = 1; seed <= SEEDS; seed += 1) if (seed !== known) yield seed
}

/** What the tables say: the seed of each mutant. */
function seedsOf(page: string): ReadonlyMap<string, number> {
  const rows = page.split('\n').map((line) => line.split('|').map((cell) => cell.trim()))
  return new Map(rows.flatMap(([, name, , kind, seed]) => (name && kind && /^\d+$/.test(seed ?? '') ? [[name, Number(seed)] as const] : [])))
}

function tableOf(mutants: readonly Mutant[], caught: readonly Caught[]): string {
  const rows = mutants.map(({ name, why }) => {
    const found = caught.find((one) => one.name === name)
    return `| ${name} | ${why} | ${found ? `${found.kind} | ${found.seed} | ${found.seconds.toFixed(1)}` : '| |'} |`
  })
  const seconds = caught.map((one) => one.seconds).sort((a, b) => a - b)
  const [median = 0, slowest = 0] = [seconds[Math.floor(seconds.length / 2)], seconds.at(-1)]
  const summary = `${mutants.length} mutants; half of them are caught within ${median.toFixed(1)} s, the slowest in ${slowest.toFixed(1)} s.`
  return `${summary}\n\n| mutant | what is wrong | caught as | seed | seconds |\n|---|---|---|---|---|\n${rows.join('\n')}\n`
}
