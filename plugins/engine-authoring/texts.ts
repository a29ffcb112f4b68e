import type { TemplateOptions } from './names.js'

export const gitignoreText = 'node_modules/\ndist/\nweft-sim/\nweft-devnet/\n*.log\n'

export const testText = `import { engineSuite } from 'weft/testkit'
import plugin from '../src/index.js'

// Everything that the contract of engines asks, and everything that tolerates() promises. More seeds: WEFT_KIT_SEEDS=500 npm test
// Once it has time-outs, give it short ones here (options), and long ones too (variants): they bring different faults to light.
engineSuite(plugin.engine)
`

export const ciText = `name: test
on: [push, pull_request]
jobs:
  test:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        node: [20, 22, 24]
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with:
          node-version: \${{ matrix.node }}
      - run: npm install
      - run: npm run typecheck
      - run: npm test
      - run: npm run build
      - run: npx peer engine check .
`

/** The README of a new package. */
export function readmeText({ names, weft }: TemplateOptions): string {
  const link = weft.startsWith('file:')
    ? `\n\`weft\` comes from a place on this machine (\`${weft}\` in \`devDependencies\`). Before others build this package, CI among them, name one that they can reach.\n`
    : ''
  return `# ${names.packageName}

A consensus engine for Weft: \`${names.name}\`.

It begins as the simplest engine that is correct while nobody fails for good: the first validator numbers the batches, the others follow, and whoever sees a gap takes the missing blocks from it. It says so itself: \`tolerates(n)\` is nobody.

It has no options yet: \`parseOptions\` in \`src/index.ts\` reads those that a site gives it (\`consensus.options.${names.name}\`), or a swap (\`--options\`).

\`\`\`sh
npm install
npm test           # the conformance suite of weft/testkit
npx peer engine dev .  # a network on this machine; saving a file swaps the new code in
npm run build
npx peer engine check .                 # everything that the contract of engines asks; a report card
npx peer sim . --seeds 2000 --jobs 2    # more seeds, with short time-outs: --options '{…}'
\`\`\`
${link}
## In a site

Listed among the plugins it runs inside the peer; named in \`consensus.engines\` it runs in a process of its own.

\`\`\`ts
import { defineConfig } from 'weft'

export default defineConfig({
  extends: 'weft/peer.config',
  consensus: { engines: ['${names.packageName}'] },
})
\`\`\`

\`peer consensus swap ${names.name}\` changes a running network to it.
`
}
