// Runs a command with Node 24, whose binary comes from the npm registry: node .ci/node24.mjs <script> [args...]
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'

const VERSION = '24.21.0'
const directory = resolve('.cache/node24')
const name = `node-${process.platform}-${process.arch}`
const binary = resolve(directory, 'node_modules', name, 'bin', 'node')
if (!existsSync(binary)) {
  mkdirSync(directory, { recursive: true })
  writeFileSync(resolve(directory, 'package.json'), '{ "private": true }\n')
  const install = spawnSync('npm', ['install', '--no-save', '--prefix', directory, `${name}@${VERSION}`], { stdio: 'inherit' })
  if (install.status !== 0) process.exit(install.status ?? 1)
}
const { status } = spawnSync(binary, process.argv.slice(2), { stdio: 'inherit' })
process.exit(status ?? 1)
