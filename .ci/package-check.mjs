// Lints what npm would publish, packed once for all who look at it: publint, are-the-types-wrong, and the links of its pages. The engines of examples/ are shipped as packages
// inside this one (`peer engine new` copies one of them), so that theirs have `exports` of their own is meant; publint has no setting for that.
// Every relative link of a Markdown page in the package has to lead to something in the package.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

const directory = mkdtempSync(join(tmpdir(), 'weft-pack-'))
process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', directory]
const [{ files, filename }] = JSON.parse(execFileSync('npm', pack, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }))
const tarball = join(directory, filename)

const isMeant = ({ code, args }) => code === 'NESTED_PACKAGE_JSON_FIELD_IGNORED' && /^\.\/examples\/engines\/[^/]+\/package\.json$/.test(args.filePath)
const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(readFileSync(tarball)).buffer }, strict: true })
const found = messages.filter((message) => !isMeant(message))
for (const message of found) console.error(`package: ${message.type}: ${formatMessage(message, pkg)}`)

const packed = new Set(files.map(({ path }) => path))
const folders = new Set([...packed].flatMap((path) => path.split('/').map((_, index, parts) => parts.slice(0, index).join('/'))))

/** Targets of the links of a page, without what stands in blocks of code. */
function linksOf(page) {
  const text = readFileSync(page, 'utf8')
    .replaceAll(/^(`{3,})[\s\S]*?^\1`*$/gm, '')
    .replaceAll(/`[^`\n]*`/g, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g), ...text.matchAll(/^\[[^\]]+\]:\s*(\S+)/gm)].map(([, target]) => target)
}

const broken = [...packed]
  .filter((path) => path.endsWith('.md'))
  .flatMap((page) => linksOf(page).map((target) => ({ page, target })))
  .filter(({ page, target }) => {
    if (/^(?:[a-z]+:|#)/i.test(target)) return false
    const path = posix.join(posix.dirname(page), target.replace(/#.*$/, '')).replace(/\/$/, '')
    return !packed.has(path) && !folders.has(path)
  })
for (const { page, target } of broken) console.error(`package: ${page} links to ${target}, which is not in the package`)

const types = spawnSync('node_modules/.bin/attw', [tarball, '--profile', 'esm-only', '--ignore-rules', 'cjs-resolves-to-esm'], { stdio: 'inherit' })
process.exit(types.status !== 0 || broken.length > 0 || found.some(({ type }) => type !== 'suggestion') ? 1 : 0)
