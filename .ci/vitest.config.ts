import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    globalSetup: new URL('temporary-files.mjs', import.meta.url).pathname,
    // Against what never ends, not against slow machines.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // In CI a test that fails gets a second try, and is reported with it: to be looked into, and no reason to throw away what is sound.
    retry: process.env.CI === 'true' ? 1 : 0,
    expect: { poll: { timeout: 60_000 } },
    pool: 'forks',
    // The default leaves a core idle.
    maxWorkers: '100%',
    // A worker that runs file after file has died twice without a word, somewhere in native code.
    isolate: true,
    reporters: ['default'],
  },
})
