import { messageOf, PeerError } from '../../../kernel/index.js'
import type { DevEvent } from './loop.js'

/** A line for a person. */
export function eventText(event: DevEvent): string {
  switch (event.type) {
    case 'unchanged':
      return 'saved: the code is the one that runs'
    case 'failed': {
      const hint = event.error instanceof PeerError && event.error.hint !== undefined ? ` (${event.error.hint})` : ''
      return `${event.build ? `build ${event.build.number}, ${event.build.version}: ` : ''}${messageOf(event.error)}${hint}`
    }
    case 'swapped': {
      const { build, buildMs, swapped } = event
      const { block, epoch, installMs, swapMs, recoveredWith } = swapped
      const way = recoveredWith === undefined ? '' : `; nothing was ordered any more, so ${recoveredWith} went in between, by a recovery`
      return `build ${build.number}: built in ${ms(buildMs)}, installed in ${ms(installMs)}, ${build.version} swapped in at block ${block} in ${ms(swapMs)} (epoch ${epoch})${way}`
    }
  }
}

/** The same for a program. */
export function eventJson(event: DevEvent): object {
  switch (event.type) {
    case 'unchanged':
      return { event: 'unchanged' }
    case 'failed': {
      const { build, error } = event
      return {
        event: 'failed',
        ...(build ? { version: build.version, codeDigest: build.codeDigest } : {}),
        code: error instanceof PeerError ? error.code : 'ERR_UNEXPECTED',
        error: messageOf(error),
        ...(error instanceof PeerError && error.hint !== undefined ? { hint: error.hint } : {}),
      }
    }
    case 'swapped': {
      const { build, buildMs, swapped } = event
      const { epoch, block, recoveredWith } = swapped
      return {
        event: 'swapped',
        package: build.name,
        version: build.version,
        codeDigest: build.codeDigest,
        epoch,
        block,
        buildMs: Math.round(buildMs),
        installMs: Math.round(swapped.installMs),
        swapMs: Math.round(swapped.swapMs),
        ...(recoveredWith === undefined ? {} : { recoveredWith }),
      }
    }
  }
}

function ms(value: number): string {
  return `${Math.round(value)} ms`
}
