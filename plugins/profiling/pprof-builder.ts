import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { Function as PprofFunction, Line, Location, Profile, Sample, StringTable, ValueType } from 'pprof-format'
import type { CallFrame, SourceNames } from './source-names.js'

const compress = promisify(gzip)

/** A kind of value of each sample, such as `['cpu', 'nanoseconds']`. */
export type Kind = readonly [type: string, unit: string]

export interface ProfileOptions {
  readonly kinds: readonly Kind[]
  readonly periodKind: Kind
  readonly period: number
  readonly startMs: number
  readonly durationMs: number
}

/** Puts a profile together in the format of pprof (profile.proto), functions named as in the source. */
export class PprofBuilder {
  readonly #strings = new StringTable()
  readonly #functions = new Map<string, PprofFunction>()
  readonly #locations = new Map<string, Location>()
  readonly #samples: Sample[] = []

  constructor(
    private readonly names: SourceNames,
    private readonly options: ProfileOptions,
  ) {}

  /** Adds values, one of each kind, to a stack, its innermost function first. */
  add(stack: readonly CallFrame[], values: readonly number[]): void {
    this.#samples.push(new Sample({ locationId: stack.map((frame) => this.#location(frame).id), value: values.map(Math.round) }))
  }

  /** The profile, compressed as pprof tools expect it. */
  async encode(): Promise<Buffer> {
    const { kinds, periodKind, period, startMs, durationMs } = this.options
    const profile = new Profile({
      sampleType: kinds.map((kind) => this.#valueType(kind)),
      sample: this.#samples,
      location: [...this.#locations.values()],
      function: [...this.#functions.values()],
      stringTable: this.#strings,
      timeNanos: BigInt(Math.round(startMs)) * 1_000_000n,
      durationNanos: BigInt(Math.round(durationMs)) * 1_000_000n,
      periodType: this.#valueType(periodKind),
      period,
    })
    return compress(profile.encode())
  }

  #valueType([type, unit]: Kind): ValueType {
    return new ValueType({ type: this.#strings.dedup(type), unit: this.#strings.dedup(unit) })
  }

  #location(frame: CallFrame): Location {
    const key = `${frame.url}:${frame.lineNumber}:${frame.columnNumber}:${frame.functionName}`
    const known = this.#locations.get(key)
    if (known !== undefined) return known
    const { name, systemName, file, line } = this.names.describe(frame)
    const id = this.#functionId(name, systemName, file, line)
    const location = new Location({ id: this.#locations.size + 1, line: [new Line({ functionId: id, line })] })
    this.#locations.set(key, location)
    return location
  }

  #functionId(name: string, systemName: string, file: string, line: number): number | bigint {
    const key = `${name}\0${file}\0${line}`
    const known = this.#functions.get(key)
    if (known !== undefined) return known.id
    const made = new PprofFunction({
      id: this.#functions.size + 1,
      name: this.#strings.dedup(name),
      systemName: this.#strings.dedup(systemName),
      filename: this.#strings.dedup(file),
      startLine: line,
    })
    this.#functions.set(key, made)
    return made.id
  }
}
