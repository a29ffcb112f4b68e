import { gunzipSync } from 'node:zlib'
import { Profile } from 'pprof-format'

/** A profile as a reader of pprof sees it. */
export function decodeProfile(bytes: Uint8Array) {
  const profile = Profile.decode(gunzipSync(bytes))
  const text = (index: number | bigint): string => profile.stringTable.strings[Number(index)] ?? ''
  const functions = new Map(
    profile.function.map((each) => [Number(each.id), { name: text(each.name), file: text(each.filename), line: Number(each.startLine) }]),
  )
  const locations = new Map(profile.location.map((each) => [Number(each.id), functions.get(Number(each.line[0]?.functionId))]))
  const kind = ({ type, unit }: { type: number | bigint; unit: number | bigint }): string => `${text(type)}/${text(unit)}`
  return {
    kinds: profile.sampleType.map(kind),
    periodKind: profile.periodType === undefined ? '' : kind(profile.periodType),
    period: Number(profile.period),
    durationNanos: Number(profile.durationNanos),
    functions: [...functions.values()],
    samples: profile.sample.map(({ locationId, value }) => ({
      stack: locationId.map((id) => locations.get(Number(id))?.name ?? '?'),
      values: value.map(Number),
    })),
  }
}
