import { defineConfig } from 'vitest/config'

export default defineConfig({
  // `weft` may be a link, as in this repository: it is a package all the same, and not a part of this one.
  resolve: { preserveSymlinks: true },
  test: { include: ['test/**/*.test.ts'], testTimeout: 60_000 },
})
