// Lets the generated message types share one empty byte string, which nobody can change: six new ones a transaction cost more than reading it.
// Run by `npm run generate`, after ts-proto.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

const gen = new URL('gen/', import.meta.url)
const EMPTY = 'new Uint8Array(0)'
const IMPORT = /^import \{ BinaryReader, BinaryWriter \} from "@bufbuild\/protobuf\/wire";$/m

for (const name of readdirSync(gen)) {
  if (!name.endsWith('.ts')) continue
  const file = new URL(name, gen)
  const source = readFileSync(file, 'utf8')
  if (!source.includes(EMPTY) || !IMPORT.test(source)) continue
  writeFileSync(file, source.replaceAll(EMPTY, 'NO_BYTES').replace(IMPORT, (line) => `${line}\nimport { NO_BYTES } from "../no-bytes.js";`))
}
