// Runs the commands of README.md and the guides as a reader would: every ```sh block of a page, in order, in one shell, in an empty copy of nothing but
// this checkout, and on a network of its own where the system lets us, so that pages can run two at a time. A ```text block right after a ```sh block is what that block must print on stdout; `…` in it matches anything within a line.
// Blocks that are only to be read are written ```sh no-run.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const LIMIT_MS = 1_200_000
const chosen = process.argv.slice(2)
const pages =
  chosen.length > 0
    ? chosen
    : [
        'README.md',
        ...readdirSync('docs/guides')
          .sort()
          .map((name) => `docs/guides/${name}`),
      ].filter((name) => name.endsWith('.md'))

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
  const lines = (text) =>
    text
      .replace(/\s+$/, '')
      .split('\n')
      .map((line) => line.trimEnd())
  const [found, wanted] = [lines(printed), lines(expected)]
  if (found.length !== wanted.length) return false
  return wanted.every((line, index) =>
    new RegExp(
      `^${line
        .split('…')
        .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
        .join('.*')}$`,
    ).test(found[index]),
  )
}

/** Runs what follows on a loopback of its own. With `ip` where it is installed; every Debian has perl. */
const ALONE = `(ip link set lo up || perl -e 'socket(S, 2, 2, 0) or die $!; $up = pack("a16s", "lo", 73); ioctl(S, 0x8914, $up) or die $!') 2>/dev/null; exec "$@"`
const alone = ['unshare', '--net', 'sh', '-c', ALONE, 'sh']

function canBeAlone() {
  if (process.getuid?.() !== 0) return false
  const check =
    "const s = require('net').createServer().listen(0, '127.0.0.1', () => require('net').connect(s.address().port, '127.0.0.1', () => process.exit(0)))"
  const [command, ...args] = [...alone, process.execPath, '-e', check]
  return spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0
}

/** Shells that run. */
const shells = new Set()

function run(script, { temporary, isAlone }) {
  return new Promise((done) => {
    const [command, ...args] = [...(isAlone ? alone : []), 'bash', '-euo', 'pipefail', '-c', script]
    const shell = spawn(command, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TMPDIR: temporary } })
    shells.add(shell)
    let printed = ''
    let complaints = ''
    shell.stdout.setEncoding('utf8').on('data', (text) => (printed += text))
    shell.stderr.setEncoding('utf8').on('data', (text) => (complaints += text))
    const timer = setTimeout(() => signal(shell, 'SIGKILL'), LIMIT_MS)
    shell.on('exit', (code, by) => {
      clearTimeout(timer)
      shells.delete(shell)
      signal(shell, 'SIGTERM') // what the page left running
      // Its output is read to the end, unless what it left running holds on to it.
      const end = () => done({ code: code ?? by, printed, complaints })
      shell.once('close', end)
      setTimeout(end, 10_000).unref()
    })
  })
}

/** To everything that a page started, but for what made itself independent. */
function signal(shell, name) {
  try {
    process.kill(-shell.pid, name)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

const needsRegistry = (page) => readFileSync(page, 'utf8').includes('<!-- needs: npm registry -->')

/** A page whose commands install packages says so. Where CI is true the registry has to be there; elsewhere such a page is left out if it is not. */
let registryAnswers
function needsWhatIsMissing(page) {
  if (process.env.CI === 'true' || !needsRegistry(page)) return false
  registryAnswers ??= spawnSync('npm', ['ping', '--fetch-retries=0', '--fetch-timeout=10000'], { stdio: 'ignore' }).status === 0
  return !registryAnswers
}

/** Directories of devnets below one; links are not followed: `weft` in a package's node_modules leads back here. */
function devnetsBelow(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'devnet.json') return [directory]
    return entry.isDirectory() && entry.name !== 'node_modules' ? devnetsBelow(join(directory, entry.name)) : []
  })
}

/** Peers of a devnet are nobody's children: those of a page that did not reach its end would go on. */
function endDevnets(data) {
  for (const directory of devnetsBelow(data)) {
    spawnSync('node', ['dist/kernel/cli/main.js', 'devnet', 'down', '--kill', '--dir', directory], { stdio: 'inherit' })
  }
}

/** Directories of the pages that run; nothing of them stays, however this ends. */
const directories = new Set()

function clean(data) {
  endDevnets(data)
  rmSync(data, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  directories.delete(data)
}

for (const name of ['SIGINT', 'SIGTERM']) {
  process.once(name, () => {
    for (const shell of shells) signal(shell, 'SIGKILL')
    for (const data of directories) clean(data)
    process.exit(1)
  })
}

const counts = { passed: 0, failed: 0, skipped: 0 }

/** Whether the page did and printed what it says; what it did instead is told. */
async function check(page) {
  const isAlone = isolates && !needsRegistry(page)
  const blocks = blocksOf(page)
  const data = mkdtempSync(join(tmpdir(), 'weft-docs-'))
  directories.add(data)
  const started = Date.now()
  const script = [
    `export CORE_PEER_FILESYSTEMPATH=${join(data, 'peer')}`,
    ...blocks.map(({ body }, index) => `echo '@@begin ${index}'\n${body}\necho '@@end ${index}'`),
  ].join('\n')
  const { code, printed, complaints } = await run(script, { temporary: data, isAlone })
  clean(data)
  const wrong = code === 0 ? [] : [`${page}: ended with ${code}; printed:\n${printed}`]
  blocks.forEach(({ body, expected }, index) => {
    const [, between] = new RegExp(`@@begin ${index}\\n([\\s\\S]*?)@@end ${index}\\n`).exec(printed) ?? []
    if (expected === undefined || between === undefined || matches(between, expected)) return
    wrong.push(`${page}: block ${index + 1}\n${body}printed\n${between}instead of\n${expected}`)
  })
  const isFine = wrong.length === 0
  if (!isFine) console.error(`${complaints}${wrong.join('\n')}`)
  console.log(`${isFine ? 'ok    ' : 'FAILED'} ${page} (${blocks.length} blocks, ${((Date.now() - started) / 1000).toFixed(0)} s)`)
  return isFine
}

const present = pages.filter((page) => {
  if (blocksOf(page).length === 0) return false
  if (!needsWhatIsMissing(page)) return true
  counts.skipped += 1
  console.log(`left out ${page}: it installs packages, and the registry of npm does not answer`)
  return false
})
// Pages use the ports of the default site, so two of them need networks of their own. What asks the registry of npm stays on this machine's.
const isolates = present.length > 1 && canBeAlone()
const here = present.filter((page) => !isolates || needsRegistry(page))
// Those with most to run first.
const apart = present.filter((page) => !here.includes(page)).sort((one, other) => blocksOf(other).length - blocksOf(one).length)
const failed = []
const lane = async (pick) => {
  for (let page = pick(); page !== undefined; page = pick()) {
    if (await check(page)) counts.passed += 1
    else failed.push(page)
  }
}
await Promise.all([lane(() => here.shift() ?? apart.shift()), ...(isolates ? [lane(() => apart.shift())] : [])])
// Beside other steps on a busy machine a page may fail for reasons of the machine: in CI it gets a second try, and both are told.
for (const page of failed) {
  const isFine = process.env.CI === 'true' && (await check(page))
  counts[isFine ? 'passed' : 'failed'] += 1
  if (isFine) console.log(`passed only at its second try: ${page}`)
}
console.log(`docs: ${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} left out` : ''}`)
process.exit(counts.failed === 0 ? 0 : 1)
