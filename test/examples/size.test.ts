import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const ENGINES = join(import.meta.dirname, '../../examples/engines')

/** Lines of TypeScript on which something stands that is neither space nor a comment: imports, types and lone brackets count, too. */
function linesOf(text: string): number {
  const source = ts.createSourceFile('any.ts', text, ts.ScriptTarget.Latest)
  const lines = new Set<number>()
  const visit = (node: ts.Node): void => {
    if (ts.isJSDoc(node)) return
    const parts = node.getChildren(source)
    for (const part of parts) visit(part)
    if (parts.length > 0 || node.kind === ts.SyntaxKind.EndOfFileToken) return
    const lineAt = (position: number): number => source.getLineAndCharacterOfPosition(position).line
    for (let line = lineAt(node.getStart(source)); line <= lineAt(node.end); line += 1) lines.add(line)
  }
  visit(source)
  return lines.size
}

function sizeOf(engine: string): number {
  const folder = join(ENGINES, engine, 'src')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  return files.reduce((sum, file) => sum + linesOf(readFileSync(join(folder, file), 'utf8')), 0)
}

describe('own lines of an engine', () => {
  it('are those that are neither empty nor a comment', () => {
    expect(linesOf("import { a } from 'a'\n\n// no\n/** no */\n/* no\n no */\nconst text = `two\nlines` // yes\nif (a) {\n  // no\n}\n")).toBe(5)
  })

  it.each([
    ['sequencer', 50],
    ['raft', 800],
    ['hotstuff', 800],
  ])('of %s are at most %i', (engine, most) => {
    expect(sizeOf(engine)).toBeLessThanOrEqual(most)
  })
})
