import type { Check, CheckContext } from './check.js'

/** Every test of the kit's conformance suite as a check. */
export function conformanceChecks({ kit, code, loaded, options, variants, seeds, members, directory }: CheckContext): Check[] {
  const checks: Check[] = []
  const titles: string[] = []
  kit.engineSuite(loaded.factory, {
    describe: (title, define) => {
      titles.push(title)
      define()
      titles.pop()
    },
    // The first title is the engine's name, which heads the card.
    test: (name, _, run) => checks.push({ part: 'conformance', name: [...titles.slice(1), name].join(': '), kind: 'contract', run }),
    options,
    variants,
    source: code.home?.directory ?? code.file,
    seeds,
    directory,
    ...(members === undefined ? {} : { members }),
  })
  return checks
}
