import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    // Against what never ends, not against slow machines.
    testTimeout: 120_000,
    hookTimeout: 180_000,
    pool: 'forks',
    // The default leaves a core idle.
    maxWorkers: '100%',
    // Loading everything anew for each file takes as long as all tests. `--isolate` does it, to find tests that lean on each other.
    isolate: false,
    reporters: ['default'],
  },
})
