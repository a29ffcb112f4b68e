import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PeerError } from '../../kernel/index.js'
import { ownPackage, type StackFrame, thrownText } from '../loader/index.js'
import { type CheckEvent, type Finding, PARTS, type Part, type Subject } from './card.js'
import { type Check, type CheckContext, runCheck } from './checks/check.js'
import { conformanceChecks } from './checks/conformance.js'
import { determinismChecks } from './checks/determinism.js'
import { disposalChecks } from './checks/disposal.js'
import { growthChecks } from './checks/growth.js'
import { hostileChecks } from './checks/hostile.js'
import { packageChecks } from './checks/package.js'
import { promiseChecks } from './checks/promises.js'
import { type EngineCode, findEngineCode, type LoadedEngine, loadEngine } from './engine-package.js'
import { Traps } from './traps.js'

/** What `runChecks` is told. */
export interface CheckOptions {
  readonly reference: string
  readonly cwd: string
  /** Raw options of the engine. */
  readonly options: unknown
  /** More of them, for the conformance suite. */
  readonly variants: readonly unknown[]
  readonly seeds: number
  readonly members: readonly number[] | undefined
  readonly parts: readonly Part[]
  /** Where failing scenarios go; undefined: below the directory for temporary files. */
  readonly directory: string | undefined
}

const MAKERS: Readonly<Record<Part, (context: CheckContext) => Check[]>> = {
  package: packageChecks,
  promises: promiseChecks,
  conformance: conformanceChecks,
  determinism: determinismChecks,
  hostile: hostileChecks,
  growth: growthChecks,
  dispose: disposalChecks,
}

/** Checks an engine in this process, and tells of it as it goes. Rejects if there is no engine, or it refuses its options. */
export async function runChecks(asked: CheckOptions, tell: (event: CheckEvent) => void): Promise<void> {
  const kit = await import('../../test/kit/index.js')
  const code = findEngineCode(asked.reference, asked.cwd)
  const traps = new Traps()
  const strays: unknown[] = []
  const onStray = (error: unknown): void => void strays.push(error)
  process.on('uncaughtException', onStray)
  // Before the engine's code is loaded: it might keep the clock that it finds then.
  traps.install()
  try {
    const loaded = await loadEngine(code)
    const { options, variants, seeds, members } = asked
    for (const raw of [options, ...variants]) parseOptions(loaded, raw)
    const context = { kit, code, loaded, traps, options, variants, seeds, members, directory: asked.directory ?? join(tmpdir(), 'weft-testkit') }
    const checks = PARTS.filter((part) => asked.parts.includes(part)).flatMap((part) => MAKERS[part](context))
    tell({ type: 'subject', subject: subjectOf(code, loaded, asked), total: checks.length })
    for (const check of checks) {
      tell({ type: 'begin', part: check.part, name: check.name })
      const finding = await runCheck(check)
      tell({ type: 'finding', finding: strays.length === 0 ? finding : spoiled(finding, strays.splice(0), code) })
    }
    tell({ type: 'end' })
  } finally {
    process.removeListener('uncaughtException', onStray)
    traps.remove()
  }
}

/** What an engine leaves running throws where nobody can catch it. */
function spoiled(finding: Finding, [first]: readonly unknown[], code: EngineCode): Finding {
  const home = `${code.home?.directory ?? dirname(code.file)}/`
  const placeOf = ({ file, line, column }: StackFrame): string | undefined => {
    const at = file.indexOf(home)
    return at < 0 || file.includes('/node_modules/') ? undefined : `${file.slice(at + home.length)}:${line}:${column}`
  }
  const { part, name, seconds, detail } = finding
  const text = `what a handler had left behind, a promise or a timer, went on after it returned, and threw: ${thrownText(first, placeOf)}`
  const before = finding.verdict === 'failed' && detail !== undefined ? `\n${detail}` : ''
  return { part, name, verdict: 'failed', kind: 'contract', ...(seconds === undefined ? {} : { seconds }), detail: `${text}${before}` }
}

function parseOptions({ factory }: LoadedEngine, options: unknown): void {
  try {
    factory.parseOptions(options)
  } catch (cause) {
    if (cause instanceof PeerError) throw cause
    throw new PeerError('ERR_ENGINE_OPTIONS', `${factory.name} reads no options ${JSON.stringify(options) ?? 'left out'}: ${String(cause)}`, {
      cause,
      hint: "give some: --options '{…}'",
    })
  }
}

function subjectOf({ home }: EngineCode, { factory }: LoadedEngine, { seeds }: CheckOptions): Subject {
  const name = home?.manifest['name']
  return {
    engine: factory.name,
    version: factory.version,
    agreement: factory.agreement,
    ...(typeof name === 'string' ? { package: name } : {}),
    tolerates: (factory.agreement ? [1, 3, 4, 5, 7, 10] : [1]).map((n) => ({ n, ...pick(factory.tolerates(n)) })),
    weft: ownPackage().version,
    node: process.versions.node,
    seeds,
  }
}

function pick({ crashed, byzantine }: { readonly crashed: number; readonly byzantine: number }): { readonly crashed: number; readonly byzantine: number } {
  return { crashed, byzantine }
}
