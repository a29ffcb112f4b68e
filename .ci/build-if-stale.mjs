// Builds dist/, types and all, when it is missing or older than a source file, so that `npm start` works from a fresh clone, and packages of engines can be built after it.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const MAIN = 'dist/kernel/cli/main.js'

function newest(path) {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))))
}

const sources = ['package.json', 'peer.config.ts', 'kernel', 'plugins', 'proto', 'test/kit'].filter((path) => existsSync(path))
if (!existsSync(MAIN) || statSync(MAIN).mtimeMs < Math.max(...sources.map(newest))) {
  console.error('weft: building dist/ (once) ...')
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { stdio: ['ignore', 2, 2] })
  if (status !== 0) process.exit(status ?? 1)
}
