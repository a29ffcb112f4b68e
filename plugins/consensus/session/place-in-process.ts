import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ownPackage, sourceName, sourcePlace, type StackFrame, thrownText } from '../../loader/index.js'

/** What an engine that runs in this process threw, with the places in its own code. */
export function thrownInProcess(thrown: unknown): string {
  return thrownText(thrown, (frame) => (isHosts(frame.file) ? undefined : placeOf(frame)))
}

/** Of Weft's host, which called the engine and was called by it; built, all of Weft is one. */
function isHosts(file: string): boolean {
  return (
    !/^(file:|\/|[A-Za-z]:\\)/.test(file) ||
    pathOf(file).startsWith(dirname(pathOf(import.meta.url))) ||
    /\/(test\/kit|kernel|plugins\/consensus)\//.test(ownPath(file))
  )
}

function ownPath(file: string): string {
  const own = ownPackage()
  const path = pathOf(file)
  return own.contains(path) ? path.slice(own.root.length) : ''
}

function placeOf({ file, line, column }: StackFrame): string {
  const found = sourcePlace(file, line, column)
  if (found) return `${sourceName(found.source)}:${found.line}:${found.column}`
  return `${pathOf(file).split(/[\\/]/).slice(-3).join('/')}:${line}:${column}`
}

function pathOf(file: string): string {
  return file.startsWith('file:') ? fileURLToPath(file) : file
}
