import { messageOf, PeerError } from '../../../kernel/index.js'
import type { DevEvent } from './loop.js'

type Swapped = Extract<DevEvent, { type: 'swapped' }>
type Failed = Extract<DevEvent, { type: 'failed' }>

/** A line for a person. */
export function eventText(event: DevEvent): string {
  if (event.type === 'unchanged') return 'saved: the code is the one that runs'
  return event.type === 'failed' ? failedText(event) : swappedText(event)
}

/** The same for a program. */
export function eventJson(event: DevEvent): object {
  if (event.type === 'unchanged') return { event: 'unchanged' }
  return event.type === 'failed' ? failedJson(event) : swappedJson(event)
}

function failedText({ build, error }: Failed): string {
  const hint = hintOf(error)
  return `${build ? `build ${build.number}, ${build.version}: ` : ''}${messageOf(error)}${hint === undefined ? '' : ` (${hint})`}`
}

function swappedText({ build, buildMs, swapped: { engine, block, epoch, installMs, swapMs, recoveredWith } }: Swapped): string {
  const way = recoveredWith === undefined ? '' : `; nothing was ordered any more, so ${recoveredWith} went in between, by a recovery`
  return `build ${build.number}: built in ${ms(buildMs)}, installed in ${ms(installMs)}, ${build.version} swapped in at block ${block} in ${ms(swapMs)} (epoch ${epoch})${way}${nameText(build.name, engine)}`
}

/** Nothing forbids it, but people will look for the engine under the name of its package. */
function nameText(packageName: string, engine: string): string {
  const expected = packageName.replace(/^@[^/]*\//, '').replace(/^weft-engine-/, '')
  return expected === engine ? '' : `; it calls itself '${engine}', its package is ${packageName}`
}

function failedJson({ build, error }: Failed): object {
  const hint = hintOf(error)
  return {
    event: 'failed',
    ...(build ? { version: build.version, codeDigest: build.codeDigest } : {}),
    code: error instanceof PeerError ? error.code : 'ERR_UNEXPECTED',
    error: messageOf(error),
    ...(hint === undefined ? {} : { hint }),
  }
}

function swappedJson({ build, buildMs, swapped }: Swapped): object {
  const { engine, epoch, block, installMs, swapMs, recoveredWith } = swapped
  return {
    event: 'swapped',
    package: build.name,
    engine,
    version: build.version,
    codeDigest: build.codeDigest,
    epoch,
    block,
    buildMs: Math.round(buildMs),
    installMs: Math.round(installMs),
    swapMs: Math.round(swapMs),
    ...(recoveredWith === undefined ? {} : { recoveredWith }),
  }
}

function hintOf(error: unknown): string | undefined {
  return error instanceof PeerError ? error.hint : undefined
}

function ms(value: number): string {
  return `${Math.round(value)} ms`
}
