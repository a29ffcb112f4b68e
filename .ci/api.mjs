// Writes the reports of the public entry points (docs/reference/api/*.md) and the reference of the engine interface (docs/reference/engine.md) from the
// declarations in dist/. `--check` writes nothing and fails if one of them is stale: a change of a public type shows in a review as a change of its report.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import ts from 'typescript'

const ENTRIES = [
  { name: 'weft', file: 'kernel/index', out: 'weft', about: 'The kernel: plugins, configuration keys, commands, errors.' },
  { name: 'weft/consensus', file: 'plugins/consensus/api/index', out: 'consensus', about: 'What an author of a consensus engine imports.' },
  { name: 'weft/testkit', file: 'test/kit/index', out: 'testkit', about: 'The simulator, the conformance suite, recordings.' },
]
const DIRECTORY = 'docs/reference/api'
const dist = resolve('dist')
const isCheck = process.argv.includes('--check')
const problems = []

const others = readdirSync('plugins')
  .filter((name) => existsSync(`dist/plugins/${name}/index.d.ts`))
  .map((name) => ({ name: `weft/plugins/${name}`, file: `plugins/${name}/index` }))
const fileOf = ({ file }) => resolve(dist, `${file}.d.ts`)
const missing = ENTRIES.find((entry) => !existsSync(fileOf(entry)))
if (missing) {
  console.error(`api: ${fileOf(missing)} is not there: run npm run build first`)
  process.exit(1)
}
const program = ts.createProgram([...ENTRIES, ...others].map(fileOf), {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts'],
  types: ['node'],
  skipLibCheck: true,
  noEmit: true,
})
const checker = program.getTypeChecker()

/** The exported symbols of an entry by name, aliases followed. */
function exportsOf(entry) {
  const module = checker.getSymbolAtLocation(program.getSourceFile(fileOf(entry)))
  return checker
    .getExportsOfModule(module)
    .map((symbol) => ({ name: symbol.name, symbol: symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Where each symbol can be imported from: the first entry that exports it. */
const homes = new Map()
for (const entry of [...ENTRIES, ...others]) for (const { symbol } of exportsOf(entry)) if (!homes.has(symbol)) homes.set(symbol, entry.name)

const docOf = (symbol) => ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim()
const isOwn = (node) => node.getSourceFile().fileName.startsWith(`${dist}/`)

/** A declaration as one would read it: no `export declare`, no private members. */
function signatureOf(node) {
  if (ts.isVariableDeclaration(node)) return `const ${node.getText()}`
  const file = node.getSourceFile()
  const hidden = ts.isClassDeclaration(node) ? node.members.filter(isHidden) : []
  let text = ''
  let at = node.getStart()
  for (const member of hidden) {
    text += file.text.slice(at, member.getFullStart())
    at = member.getEnd()
  }
  text += file.text.slice(at, node.getEnd())
  return text
    .replace(/^(export\s+)?(default\s+)?(declare\s+)?/, '')
    .replace(/import\("[^"]+"\)\./g, '')
    .replace(/^( {4})+/gm, (indent) => indent.slice(indent.length / 2))
    .trimEnd()
}

function isHidden(member) {
  if (member.name && ts.isPrivateIdentifier(member.name)) return true
  return (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private) !== 0
}

/** Types of this package that a declaration speaks of. */
function spokenOf(node, found = new Set()) {
  const visit = (child) => {
    if (ts.isClassElement(child) && isHidden(child)) return
    const name = ts.isImportTypeNode(child)
      ? child.qualifier
      : ts.isTypeReferenceNode(child)
        ? child.typeName
        : ts.isExpressionWithTypeArguments(child)
          ? child.expression
          : undefined
    let symbol = name && checker.getSymbolAtLocation(name)
    if (symbol && symbol.flags & ts.SymbolFlags.Alias) symbol = checker.getAliasedSymbol(symbol)
    if (symbol && !(symbol.flags & ts.SymbolFlags.TypeParameter) && symbol.declarations?.some(isOwn)) found.add(symbol)
    ts.forEachChild(child, visit)
  }
  visit(node)
  return found
}

function kindOf(node) {
  if (ts.isFunctionDeclaration(node)) return 'function'
  if (ts.isClassDeclaration(node)) return 'class'
  if (ts.isInterfaceDeclaration(node)) return 'interface'
  if (ts.isTypeAliasDeclaration(node)) return 'type'
  return ts.isVariableDeclaration(node) ? 'const' : 'value'
}

function reportOf(entry) {
  const own = new Set(exportsOf(entry).map(({ symbol }) => symbol))
  const elsewhere = new Map()
  const sections = exportsOf(entry).map(({ name, symbol }) => {
    const declarations = (symbol.declarations ?? []).filter((node) => !ts.isExportSpecifier(node))
    const [first] = declarations
    if (!first) throw new Error(`${entry.name} exports ${name}, which has no declaration`)
    if (!isOwn(first))
      return `## ${name}\n\nThat of \`${/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(first.getSourceFile().fileName)?.[1] ?? first.getSourceFile().fileName}\`.\n`
    const doc = docOf(symbol)
    if (doc === '' && entry.name !== 'weft') problems.push(`${entry.name}: ${name} has no doc comment (${relative(dist, first.getSourceFile().fileName)})`)
    for (const declaration of declarations) {
      for (const other of spokenOf(declaration)) {
        if (own.has(other)) continue
        const home = homes.get(other)
        if (home === undefined && entry.name === 'weft/consensus') problems.push(`${entry.name}: ${name} speaks of ${other.name}, which nobody can import`)
        elsewhere.set(other.name, home)
      }
    }
    const signature = declarations.map(signatureOf).join('\n')
    return `## ${name}\n\n${[...new Set(declarations.map(kindOf))].join(', ')}. ${doc}\n\n\`\`\`ts\n${signature}\n\`\`\`\n`
  })
  const spoken = [...elsewhere]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, home]) => `| \`${name}\` | ${home === undefined ? 'not exported' : `\`${home}\``} |`)
  const others =
    spoken.length === 0 ? '' : `## Types from elsewhere\n\nThe signatures above speak of them.\n\n| type | from |\n|---|---|\n${spoken.join('\n')}\n`
  return `# ${entry.name}\n\n${entry.about} Written by \`npm run api\` from the declarations; CI fails if it is stale.\n\n${[...sections, others].join('\n').trimEnd()}\n`
}

/** Members of an interface with their doc comments, as rows. */
function membersOf(name, entry) {
  const { symbol } = exportsOf(entry).find((one) => one.name === name)
  const [declaration] = symbol.declarations
  return declaration.members.map((member) => {
    const doc = docOf(checker.getSymbolAtLocation(member.name))
    if (doc === '') problems.push(`${entry.name}: ${name}.${member.name.getText()} has no doc comment`)
    const text = member
      .getText()
      .replace(/\s*\n\s*/g, ' ')
      .replace(/;\s*(?=})/g, ' ')
      .replace(/;$/, '')
      .replace(/^readonly /, '')
    return { name: member.name.getText(), text, doc: doc.replace(/\s*\n\s*/g, ' ') }
  })
}

function engineReference() {
  const entry = ENTRIES[1]
  const part = (title, intro, name) =>
    `## ${title}\n\n${intro}\n\n${membersOf(name, entry)
      .map(({ name, text, doc }) => `### ${name}\n\n\`\`\`ts\n${text}\n\`\`\`\n\n${doc}\n`)
      .join('\n')}`
  return `# The engine interface

Written by \`npm run api\` from the types of \`weft/consensus\`; CI fails if it is stale. [The guide](../guides/write-an-engine.md) explains the model; [api/consensus.md](api/consensus.md) has every type in full.

${part('The factory', 'What a package exports, wrapped in `defineEngine`.', 'EngineFactory')}
${part('How an instance begins', 'The third argument of `create`.', 'EngineStart')}
${part('Handlers', 'What an engine is told. All may be left out; they run one at a time and return nothing.', 'Engine')}
${part('The host', 'What an engine may read, and the effects that it may ask for.', 'EngineHost')}`
}

const files = [...ENTRIES.map((entry) => [`${DIRECTORY}/${entry.out}.md`, reportOf(entry)]), ['docs/reference/engine.md', engineReference()]]
for (const problem of problems) console.error(`api: ${problem}`)
mkdirSync(DIRECTORY, { recursive: true })
const stale = files.filter(([file, text]) => !existsSync(file) || readFileSync(file, 'utf8') !== text)
if (!isCheck) for (const [file, text] of stale) writeFileSync(file, text)
for (const [file] of stale) console.log(`${isCheck ? 'stale' : 'written'}  ${file}`)
if (isCheck && stale.length > 0) console.error('api: the public types differ from their reports: npm run api, and look at the difference as a reviewer would')
process.exit(problems.length > 0 || (isCheck && stale.length > 0) ? 1 : 0)
