// Runs the commands of README.md and the guides as a reader would: every ```sh block of a page, in order, in one shell, in an empty copy of nothing but
// this checkout. A ```text block right after a ```sh block is what that block must print on stdout; `…` in it matches anything within a line.
// Blocks that are only to be read are written ```sh no-run.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'

const LIMIT_MS = 600_000
const chosen = process.argv.slice(2)
const pages = chosen.length > 0 ? chosen : ['README.md', ...readdirSync('docs/guides').sort().map((name) => `docs/guides/${name}`)].filter((name) => name.endsWith('.md'))

/** The runnable blocks of a page with what they must print. */
function blocksOf(page) {
  const fences = [...readFileSync(page, 'utf8').matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, info, body]) => ({ info: info.trim(), body }))
  return fences.flatMap(({ info, body }, index) => {
    if (info !== 'sh') return []
    const next = fences[index + 1]
    return [{ body, expected: next?.info === 'text' ? next.body : undefined }]
  })
}

function matches(printed, expected) {
  const lines = (text) => text.replace(/\s+$/, '').split('\n').map((line) => line.trimEnd())
  const [found, wanted] = [lines(printed), lines(expected)]
  if (found.length !== wanted.length) return false
  return wanted.every((line, index) => new RegExp(`^${line.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`).test(found[index]))
}

function run(script, directory, temporary) {
  return new Promise((done) => {
    const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], { cwd: directory, detached: true, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, TMPDIR: temporary } })
    let printed = ''
    shell.stdout.setEncoding('utf8').on('data', (text) => (printed += text))
    const timer = setTimeout(() => process.kill(-shell.pid, 'SIGKILL'), LIMIT_MS)
    shell.on('exit', (code, signal) => {
      clearTimeout(timer)
      try {
        process.kill(-shell.pid, 'SIGTERM') // what the page left running
      } catch (error) {
        if (error.code !== 'ESRCH') throw error
      }
      setTimeout(() => done({ code: code ?? signal, printed }), 500)
    })
  })
}

/** A page whose commands install packages says so. Where CI is true the registry has to be there; elsewhere such a page is left out if it is not. */
let registryAnswers
function needsWhatIsMissing(page) {
  if (process.env.CI === 'true' || !readFileSync(page, 'utf8').includes('<!-- needs: npm registry -->')) return false
  registryAnswers ??= spawnSync('npm', ['ping', '--fetch-retries=0', '--fetch-timeout=10000'], { stdio: 'ignore' }).status === 0
  return !registryAnswers
}

/** Directories of devnets below one; links are not followed: `weft` in a package's node_modules leads back here. */
function devnetsBelow(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'devnet.json' && basename(directory) === 'weft-devnet') return [directory]
    return entry.isDirectory() && entry.name !== 'node_modules' ? devnetsBelow(join(directory, entry.name)) : []
  })
}

/** Peers of a devnet are nobody's children: those of a page that did not reach its end would go on. */
function endDevnets(data) {
  for (const directory of devnetsBelow(data)) {
    spawnSync('node', ['dist/kernel/cli/main.js', 'devnet', 'down', '--kill', '--dir', directory], { stdio: 'inherit' })
  }
}

let failed = 0
let passed = 0
let skipped = 0
for (const page of pages) {
  const blocks = blocksOf(page)
  if (blocks.length === 0) continue
  if (needsWhatIsMissing(page)) {
    skipped += 1
    console.log(`left out ${page}: it installs packages, and the registry of npm does not answer`)
    continue
  }
  const data = mkdtempSync(join(tmpdir(), 'weft-docs-'))
  const script = [`export CORE_PEER_FILESYSTEMPATH=${join(data, 'peer')}`, ...blocks.map(({ body }, index) => `echo '@@begin ${index}'\n${body}\necho '@@end ${index}'`)].join('\n')
  const { code, printed } = await run(script, resolve('.'), data)
  endDevnets(data)
  rmSync(data, { recursive: true, force: true })
  let fine = code === 0
  if (!fine) console.error(`${page}: ended with ${code}; printed:\n${printed}`)
  blocks.forEach(({ body, expected }, index) => {
    const [, between] = new RegExp(`@@begin ${index}\\n([\\s\\S]*?)@@end ${index}\\n`).exec(printed) ?? []
    if (expected === undefined || between === undefined || matches(between, expected)) return
    fine = false
    console.error(`${page}: block ${index + 1}\n${body}printed\n${between}instead of\n${expected}`)
  })
  if (fine) passed += 1
  else failed += 1
  console.log(`${fine ? 'ok    ' : 'FAILED'} ${page} (${blocks.length} blocks)`)
}
console.log(`docs: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} left out` : ''}`)
process.exit(failed === 0 ? 0 : 1)
