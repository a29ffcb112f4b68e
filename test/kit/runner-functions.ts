/** What a test runner offers; that of vitest and of `node:test` fit. */
export interface TestRunner {
  readonly describe: (name: string, define: () => void) => unknown
  readonly test: (name: string, options: { readonly timeout: number }, run: () => Promise<void>) => unknown
}

/**
 * The functions of the test runner: those handed in, or those of the vitest that runs now, which it offers to code that it did not load as a test (the
 * mechanism behind its `import.meta.vitest`). So this module imports no test runner. Throws a TypeError if there is none.
 */
export function testRunner(given: Partial<TestRunner>): TestRunner {
  const running: unknown = Reflect.get(globalThis, '__vitest_index__')
  for (const candidate of [given, running, globalThis]) if (isRunner(candidate)) return candidate
  throw new TypeError(
    "expected to run under vitest, or with the functions of another test runner: engineSuite(engine, { describe, test }) with import { describe, test } from 'node:test'",
  )
}

function isRunner(value: unknown): value is TestRunner {
  if (typeof value !== 'object' || value === null) return false
  return 'describe' in value && 'test' in value && typeof value.describe === 'function' && typeof value.test === 'function'
}
