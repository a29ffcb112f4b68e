// What tests leave behind goes with the run: every file of tests has one directory for its temporary files, removed when all are done.
// Failing scenarios outlive it, where the kit says it puts them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export default function setup() {
  const outer = tmpdir()
  const directory = mkdtempSync(join(outer, 'weft-test-'))
  process.env.WEFT_KIT_OUT ??= join(outer, 'weft-testkit')
  process.env.TMPDIR = directory
  return () => {
    process.env.TMPDIR = outer
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}
